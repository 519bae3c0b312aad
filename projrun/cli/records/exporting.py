"""`projrun export`: brings the tracking store into another one, or writes it as lines of JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

import click

from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.transfers import bring, tell
from projrun.cli.rendering import one_line, print_warning
from projrun.errors import RequestError, TrackingError
from projrun.tracking.artifacts.paths import partial_name
from projrun.tracking.open import open_store
from projrun.tracking.uri import parse_tracking_uri
from projrun.transfer.lines import Lines
from projrun.transfer.stores import StoreSource


@click.command()
@click.option(
    "--to", "target", metavar="URI", help="The store: http(s)://SERVER, sqlite:///FILE, postgresql://…"
)
@click.option("--jsonl", metavar="FILE", help="Write one JSON object a line instead; - is stdout.")
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
@tracking_uri_option
@json_option
def export(
    target: str | None,
    jsonl: str | None,
    names: tuple[str, ...],
    no_artifacts: bool,
    check: bool,
    tracking_uri: str | None,
    as_json: bool,
) -> int:
    """Bring the tracking store into another one: runs, histories, artifacts, models, what was deleted too.

    The same command again brings what is new or was broken off, and nothing twice. MLflow's servers give runs new
    ids: the tag projrun.origin.run_id keeps the old ones. Exits with 5 where something is missing.

    \b
    projrun export --to http://mlflow.example.org:5000
    projrun export --to sqlite:///copy.db --experiment wine
    projrun export --jsonl - | head
    """
    if (target is None) == (jsonl is None):
        raise RequestError("give --to URI or --jsonl FILE")
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        source = StoreSource(store)
        if jsonl is not None:
            return _write(Lines(source, names, artifacts=not no_artifacts), source, jsonl, as_json=as_json)
        uri = parse_tracking_uri(target or "", Path.cwd())
        with closing(open_store(uri, os.environ, warn=print_warning)) as there:
            return bring(
                source, there, "exported", names, artifacts=not no_artifacts, check=check, as_json=as_json
            )


def _write(lines: Lines, source: StoreSource, name: str, *, as_json: bool) -> int:
    with _opened(name) as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    if name == "-":
        for text in lines.done.missing:
            print_warning(one_line(f"not exported: {text}"))
        return TrackingError.exit_code if lines.done.missing else 0
    return tell(lines.done, source, "exported", as_json=as_json)


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    """Stdout, or a file that is there when all of it is written."""
    if name == "-":
        yield sys.stdout
        return
    place = Path(name)
    partial = place.with_name(partial_name())
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        partial.replace(place)
    except OSError as error:
        raise RequestError(f"{place} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
