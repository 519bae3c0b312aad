"""What a model says of itself to clients: its name, what it takes and gives, and an example."""

from __future__ import annotations

from projrun.models.mlmodel import read_mlmodel
from projrun.models.serving.example import written_example
from projrun.models.serving.served import ServedModel
from projrun.models.signature import Signature
from projrun.tuples import NamedTuple


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
    example = written_example(model.folder, mlmodel.input_example)
    return Description(model.name, model.version, mlmodel.signature, example)
