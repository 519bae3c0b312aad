"""`projrun plan`, which is also `projrun run --dry-run`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from projrun.cli.options import plan_options
from projrun.cli.rendering import print_json, visible
from projrun.cli.request import build_request
from projrun.running.plan import make_plan
from projrun.running.request import context_of


@click.command()
@plan_options
def plan(**values: Any) -> int:
    """Show what `projrun run` would do with the same options; build, run and record nothing.

    \b
    projrun plan . -P alpha=0.42
    projrun plan https://host/team/repo.git -v v1.2 --json
    """
    return show_plan(values)


def show_plan(values: Mapping[str, Any]) -> int:
    """Print the plan as text or JSON."""
    from projrun.cli.plan_view import plan_document, plan_text

    request = build_request(values, "plan")
    made = make_plan(request, context_of(request, os.environ), own_copy=False)
    document = plan_document(made)
    if values["as_json"]:
        print_json(document)
    else:
        click.echo(visible(plan_text(document)))
    for note in made.notes:
        click.echo(visible(f"projrun: {note}"), err=True)
    for warning in made.warnings:
        click.echo(visible(f"projrun: warning: {warning}"), err=True)
    return 0
