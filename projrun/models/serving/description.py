"""What a model says of itself to clients: its name, what it takes and gives, and an example."""

from __future__ import annotations

from pathlib import Path

from projrun.bounded import parse_json, read_file
from projrun.errors import InvalidValueError
from projrun.models.mlmodel import InputExample, read_mlmodel
from projrun.models.serving.served import ServedModel
from projrun.models.signature import Signature
from projrun.tracking.artifacts.paths import checked_path
from projrun.tuples import NamedTuple

_LARGEST = 100_000
"""Bytes of an example: more is none for people."""


class Description(NamedTuple):
    """Of one model."""

    name: str
    version: str
    """Of the registered model, if it is one."""
    signature: Signature | None = None
    example: object = None
    """A request's body as JSON has it, where one was saved with the model."""


def describe(model: ServedModel) -> Description:
    """Raises RequestError for a damaged file."""
    mlmodel = read_mlmodel(model.folder)
    return Description(
        model.name, model.version, mlmodel.signature, _example(model.folder, mlmodel.input_example)
    )


def example_file(folder: Path, example: InputExample | None) -> Path | None:
    """The file with the example as a request's body, where the model has one in its folder."""
    if example is None or not example.serving:
        return None
    try:
        file = (folder / checked_path(example.serving)).resolve()
    except InvalidValueError:
        return None
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def _example(folder: Path, example: InputExample | None) -> object:
    file = example_file(folder, example)
    try:
        return None if file is None else parse_json(read_file(file, _LARGEST).decode())
    except (OSError, ValueError):
        return None
