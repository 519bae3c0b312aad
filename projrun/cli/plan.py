"""`projrun plan`, which is also `projrun run --dry-run`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from projrun.cli.rendering import print_json, print_text
from projrun.cli.reporter import CommandLineReporter
from projrun.cli.request import build_request
from projrun.running.plan import make_plan
from projrun.running.request import context_of


def show_plan(values: Mapping[str, Any]) -> int:
    """Print the plan as text or JSON."""
    from projrun.cli.views.plan import plan_document, plan_text

    request = build_request(values, "plan")
    reporter = CommandLineReporter()
    made = make_plan(request, context_of(request, os.environ), own_copy=False, activity=reporter.activity)
    document = plan_document(made)
    if values["as_json"]:
        print_json(document)
    else:
        print_text(plan_text(document))
    reporter.tell(made.checkout.notes, made.warnings)
    return 0
