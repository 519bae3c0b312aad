"""`projrun artifacts list`, `download` and `open`: the files of a run or a model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from shutil import rmtree, which
from tempfile import mkdtemp

import click

from projrun.cli.options import json_option, layout_options, tracking_uri_option
from projrun.cli.quantities import size_text
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import print_json, print_path, print_text
from projrun.cli.tables import Cell, Layout, Table, print_table
from projrun.errors import RequestError
from projrun.running.record.lookup import find_run
from projrun.tracking.artifacts.download import download_uri
from projrun.tracking.artifacts.listing import artifact_files
from projrun.tracking.artifacts.references import resolve
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.registry_open import REGISTRY_URI, open_registry
from projrun.tracking.runs import RunStore

_TABLE = Table("artifacts", ("PATH", "SIZE"), cutting=("PATH",))
_SHOWN = frozenset(
    (
        ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".txt", ".log", ".csv", ".tsv", ".json", ".jsonl",
        ".yaml", ".yml", ".toml", ".md",
    )
)  # fmt: skip
"""What a program shows and does not run: a run's files may be anybody's."""

_source = run_argument("source", "SOURCE")


@click.command("list", cls=RunCommand)
@_source
@click.argument("path", metavar="[PATH]", required=False, default="")
@click.option("-n", "--limit", metavar="N", type=click.IntRange(1), help="Number of files.  [default: 1000]")
@layout_options
@tracking_uri_option
@json_option
def list_files(source: str, path: str, tracking_uri: str | None, as_json: bool, layout: Layout) -> None:
    """List the files of a run or a model.

    SOURCE is a run (an id, a prefix of one, a name, `latest` or `-2`), runs:/RUN/PATH, models:/NAME/VERSION or
    models:/NAME@ALIAS.

    \b
    projrun artifacts list latest
    projrun artifacts list models:/wine@champion
    """
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        uri = _uri(store, source, path)
        with _registry() as registry:
            place = resolve(uri, store, registry=registry)
        most = layout.limit or 1000
        found = artifact_files(store.artifacts(place.artifact_uri), place.path, most=most + 1)
    has_more, found = len(found) > most, found[:most]
    if as_json:
        files = [{"path": file.path, "size": file.size} for file in found]
        print_json({"uri": uri, "artifact_uri": place.artifact_uri, "artifacts": files})
        return
    rows = [
        (file.path, Cell("" if file.size is None else size_text(file.size), str(file.size or 0)))
        for file in found
    ]
    print_table(_TABLE, rows, layout._replace(limit=None))
    if has_more:
        print_text(f"the first {most}; more with --limit", err=True)


@click.command("download", cls=RunCommand)
@_source
@click.argument("path", metavar="[PATH]", required=False, default="")
@click.option("-o", "--output", metavar="PATH", help="Where to put it.  [default: its name, in this folder]")
@tracking_uri_option
@json_option
def download_files(
    source: str, path: str, output: str | None, tracking_uri: str | None, as_json: bool
) -> None:
    """Download files of a run or a model, and print where they are.

    A file, a folder, or all files of SOURCE. Replaces nothing.

    SOURCE is a run (an id, a prefix of one, a name, `latest` or `-2`), runs:/RUN/PATH, models:/NAME/VERSION or
    models:/NAME@ALIAS.

    \b
    projrun artifacts download latest plots/roc.png
    projrun artifacts download models:/wine@champion -o wine
    """
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        target = _downloaded(store, _uri(store, source, path), output)
    if as_json:
        print_json({"path": str(target)})
    else:
        print_path(target)


@click.command("open", cls=RunCommand)
@_source
@click.argument("path", metavar="[PATH]", required=False, default="")
@tracking_uri_option
def open_file(source: str, path: str, tracking_uri: str | None) -> None:
    """Open a picture, text or table with the desktop's program for it.

    \b
    projrun artifacts open latest plots/roc.png
    """
    program = "open" if sys.platform == "darwin" else "xdg-open"
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        uri = _uri(store, source, path)
        suffix = PurePosixPath(uri).suffix.lower()
        if suffix not in _SHOWN:
            raise RequestError(
                f"{uri}: files of this kind are not opened, since they might be programs",
                hint="`projrun artifacts download` brings it here",
            )
        if which(program) is None:
            raise RequestError(
                f"{program} not found: no program opens files here",
                hint="`projrun artifacts download` brings it here",
            )
        folder = Path(mkdtemp(prefix="projrun-open-"))
        try:
            target = _downloaded(store, uri, str(folder / PurePosixPath(uri).name))
            print_path(target)
            if subprocess.run([program, target], check=False).returncode:
                raise RequestError(f"{program} could not open {target}")
        except BaseException:
            rmtree(folder, ignore_errors=True)  # else the program has it open
            raise


def _uri(store: RunStore, source: str, path: str) -> str:
    """The artifact's URI, with the whole id of its run."""
    scheme = uri_scheme(source)
    if scheme == "models":
        return f"{source.rstrip('/')}/{path}".rstrip("/")
    name, _, inner = (source.partition(":")[2].lstrip("/") if scheme == "runs" else source).partition("/")
    if scheme != "runs":
        name, inner = source, ""
    parts = (f"runs:/{find_run(store, name).run_id}", inner.strip("/"), path.strip("/"))
    return "/".join(part for part in parts if part)


@contextmanager
def _registry() -> Iterator[RunStore | None]:
    uri = os.environ.get(REGISTRY_URI)
    registry = open_registry(uri, os.environ) if uri else None
    try:
        yield registry
    finally:
        if registry is not None:
            registry.close()


def _file_name(uri: str) -> str:
    """What a download is named: as its last part, or as its model without the alias."""
    name = PurePosixPath(uri.rstrip("/")).name
    is_model = uri_scheme(uri) == "models" and uri.rstrip("/").count("/") == 1
    return name.partition("@")[0] if is_model else name


def _downloaded(store: RunStore, uri: str, output: str | None) -> Path:
    target = Path(output or _file_name(uri))
    if target.is_dir() and output is not None:
        target /= _file_name(uri)
    if os.path.lexists(target):
        raise RequestError(f"{target} exists", hint="choose another place with -o")
    target = Path.cwd() / target
    download_uri(uri, target, store, os.environ)
    return target
