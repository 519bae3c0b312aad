"""`projrun artifacts`: what runs logged as files."""

from __future__ import annotations

from collections.abc import Sequence

import click

from projrun.cli.asking import ensure_agreed
from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.records.artifact_files import download_files, list_files, open_file
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import print_json, print_line
from projrun.errors import RequestError
from projrun.running.record.lookup import find_run
from projrun.suggestions import did_you_mean
from projrun.tracking.artifacts.paths import checked_file_path
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.transfers import delete_artifacts


@click.group()
def artifacts() -> None:
    """List, download, open and delete artifacts of runs and models."""


for command in (list_files, download_files, open_file):
    artifacts.add_command(command)


@artifacts.command("delete", cls=RunCommand)
@run_argument()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; needed off a terminal.")
@tracking_uri_option
@json_option
def delete_some(
    run_id: str, paths: Sequence[str], yes: bool, tracking_uri: str | None, as_json: bool
) -> None:
    """Delete files and folders of a run's artifacts.

    There is no way back: it asks on a terminal. RUN is an id, a prefix of one, a name, `latest` or `-2`.

    \b
    projrun artifacts delete latest checkpoints model/data.bin
    """
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        repository = store.artifacts(run.artifact_uri)
        found = _outermost([_existing(repository, path) for path in paths])
        question = f"Delete {', '.join(found)} of run {run.run_name} ({run.run_id}) for good?"
        ensure_agreed(question, RequestError("nothing was deleted"), yes=yes)
        for path in found:
            delete_artifacts(repository, path)
            if not as_json:
                print_line(f"deleted {path} of run {run.run_name} ({run.run_id})")
    if as_json:
        print_json({"run_id": run.run_id, "deleted": found})


def _outermost(paths: Sequence[str]) -> list[str]:
    """Each once, without those that are in another."""
    return [path for path in dict.fromkeys(paths) if not any(path.startswith(f"{above}/") for above in paths)]


def _existing(repository: ArtifactRepository, path: str) -> str:
    """The path as the store has it. Raises RequestError where nothing is, InvalidValueError for one that climbs out."""
    wanted = checked_file_path(path.rstrip("/"))
    folder = wanted.rpartition("/")[0]
    present = [file.path for file in repository.list(folder)]
    if wanted not in present:
        raise RequestError(
            f"the run has no artifact {path!r}{did_you_mean(wanted, present)}",
            hint=f"there: {', '.join(present)}" if present else "it has none there",
        )
    return wanted
