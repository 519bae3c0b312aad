"""`projrun run` and `projrun plan` as commands of click."""

from __future__ import annotations

from typing import Any

import click

from projrun.cli.options import plan_options, run_options
from projrun.cli.plan import show_plan
from projrun.cli.run import run_line


@click.command()
@run_options
def run(**values: Any) -> int:
    """Run an entry point of the project at URI and record it.

    URI is a folder, a git repository (https://…, ssh://…, git@host:…, gh:owner/repo, the page of a folder on GitHub,
    GitLab or Bitbucket) or an archive (.zip, .tar.gz…; a file, https://…, s3://…), each with #sub/dir.

    \b
    projrun run . -P alpha=0.42
    projrun run https://host/team/repo.git#train -v v1.2 --env-manager=uv
    projrun run . -e evaluate --params-file params.yaml --experiment-name nightly
    """
    return run_line(values)


@click.command()
@plan_options
def plan(**values: Any) -> int:
    """Show what `projrun run` would do with the same options; build, run and record nothing.

    \b
    projrun plan . -P alpha=0.42
    projrun plan https://host/team/repo.git -v v1.2 --json
    """
    return show_plan(values)
