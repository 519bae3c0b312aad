"""`projrun models predict`: predictions for a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import click

from projrun.cli.models.opening import OpenedModel, opened_model, served_model
from projrun.cli.models.options import environment_of_model, trusting
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import RequestError
from projrun.models.serving.prediction import CSV, JSON, predict, rows
from projrun.models.signature import TENSOR

_KINDS = {"json": JSON, "csv": CSV}


@click.command("predict")
@environment_of_model
@trusting
@click.option("-i", "--input-path", "source", metavar="FILE", default="-", help="Input; stdin by default.")
@click.option(
    "-o", "--output-path", "target", metavar="FILE", default="-", help="Output, as JSON; stdout by default."
)
@click.option(
    "-t",
    "--content-type",
    "kind",
    type=click.Choice(tuple(_KINDS)),
    help="Of the input; JSON is a body of /invocations.  [default: csv for a FILE.csv, otherwise json]",
)
def predict_file(trust: bool, source: str, target: str, kind: str | None, **values: Any) -> None:
    """Predict for a file in the model's environment; no server.

    A table in CSV is taken in pieces where the model has a signature with columns, so that it may be larger than the
    memory. The output file is there whole or not at all.

    \b
    projrun models predict -m models:/wine/3 -i wine.csv -o answer.json
    """
    kind = kind or ("csv" if source.lower().endswith(".csv") else "json")
    with _input(source) as stream:
        reporter = CommandLineReporter()
        model = opened_model(values, reporter)
        served = served_model(model, reporter, trusted=trust)
        pieces = rows(stream) if kind == "csv" and _has_columns(model) else iter([stream.read()])
        with _output(target) as write:
            predict(served, pieces, _KINDS[kind], write)


def _has_columns(model: OpenedModel) -> bool:
    """Whether the types of a table's columns are known: without, they are those that all of it has."""
    signature = model.mlmodel.signature
    return signature is not None and any(field.type.word != TENSOR for field in signature.inputs)


@contextmanager
def _input(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - errors of what reads it are not this one
    except OSError as error:
        raise RequestError(f"{name} cannot be read: {error.strerror}") from None
    with stream:
        yield stream


@contextmanager
def _output(name: str) -> Iterator[Callable[[bytes], object]]:
    if name == "-":
        yield _to_stdout
        return
    draft = Path(f"{name}.{os.urandom(4).hex()}")
    try:
        with draft.open("wb") as stream:
            yield stream.write
        draft.replace(name)
    except OSError as error:
        raise RequestError(f"{name} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _to_stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
