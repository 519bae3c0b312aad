"""`projrun import`: brings a store of MLflow's, or of a server, into the tracking store."""

from __future__ import annotations

import os
from pathlib import Path

import click

from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.transfers import bring
from projrun.cli.rendering import print_warning
from projrun.transfer.open import opened_source


@click.command("import")
@click.argument("source", metavar="SOURCE")
@click.option(
    "--experiment",
    "names",
    metavar="NAME",
    multiple=True,
    help="Only this experiment, without registered models; may be repeated.",
)
@click.option("--no-artifacts", is_flag=True, help="Leave files where they are.")
@click.option(
    "--check", is_flag=True, help="Compare the values and files of runs that are there already, too."
)
@click.option(
    "--artifacts-destination",
    metavar="PLACE",
    default="",
    help="Where the server of an mlflow.db kept artifacts; `mlartifacts` beside it where that exists.",
)
@tracking_uri_option
@json_option
def import_command(
    source: str,
    names: tuple[str, ...],
    no_artifacts: bool,
    check: bool,
    artifacts_destination: str,
    tracking_uri: str | None,
    as_json: bool,
) -> int:
    """Bring a store into the tracking store: runs, histories, artifacts, models, what was deleted too.

    SOURCE is a folder mlruns, an mlflow.db, or the address of an MLflow or projrun server. It is only read. The same
    command again brings what is new or was broken off, and nothing twice. Exits with 5 where something is missing.

    \b
    projrun import ./mlruns
    projrun import mlflow.db --experiment wine --experiment iris
    projrun import http://old:5000 --tracking-uri http://new:5000
    """
    with (
        store_of({"tracking-uri": tracking_uri}) as (target, _),
        opened_source(source, Path.cwd(), os.environ, artifacts_destination, print_warning) as opened,
    ):
        return bring(
            opened, target, "imported", names, artifacts=not no_artifacts, check=check, as_json=as_json
        )
