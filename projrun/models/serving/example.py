"""A request to try a model with: the example that was saved with it, else one made from its signature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from errno import ENOENT
from pathlib import Path
from typing import Any

from projrun.bounded import parse_json, read_file
from projrun.errors import InvalidValueError, RequestError
from projrun.models.mlmodel import InputExample, MLmodel
from projrun.models.serving.docs.samples import sample_request
from projrun.models.signature import Signature
from projrun.reporting import visible
from projrun.tracking.artifacts.paths import checked_path

_LARGEST = 1 << 28
"""Bytes of an example."""
_SHOWN = 100_000
"""Bytes of an example: more is none for people."""
_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_TABLE = 300
"""Characters of a body with a whole table; of a longer one, a line shows the first row."""
_LINE = 1000
"""Characters of a body that a line has room for."""


def curl_data(model: MLmodel, folder: Path) -> str | None:
    """What curl's `--data` takes: the body, or `@FILE` with it. None where nothing says what the model takes."""
    body = written_example(folder, model.input_example) or _made(model.signature)
    if body is None:
        return None
    text = json.dumps(body)
    if len(text) > _TABLE:
        text = json.dumps(_first_row(body))
    if len(text) <= _LINE:
        return text
    file = _inside(folder, model.input_example.serving) if model.input_example else None
    return None if file is None else f"@{file}"


def written_example(folder: Path, example: InputExample | None) -> Mapping[str, Any] | None:
    """As `example_body`, for people: None also for one that is long, gone or damaged."""
    try:
        return example_body(folder, example, _SHOWN)
    except RequestError:
        return None


def example_body(
    folder: Path, example: InputExample | None, largest: int = _LARGEST
) -> Mapping[str, Any] | None:
    """The body of a request that was saved with the model; None where there is none that JSON can say.

    MLflow before 2.14 saved the input alone. Raises RequestError for a file that is gone, damaged or over `largest`
    bytes. No file outside of the folder is read: the model need not be trusted yet.
    """
    if example is None or example.kind.startswith("sparse"):
        return None
    reason = ""
    for name in filter(None, (example.serving, example.file)):
        file = _inside(folder, name)
        try:
            if file is None:
                raise FileNotFoundError(ENOENT, "it is not in the model's folder")
            return _body(parse_json(read_file(file, largest).decode()), example.kind)
        except (OSError, ValueError) as error:
            found = error.strerror if isinstance(error, OSError) else "it is damaged"
            reason = reason or f"{visible(name)} cannot be read: {found}"
    raise RequestError(f"the model's input example {reason}")


def _body(read: object, kind: str) -> Mapping[str, Any]:
    if isinstance(read, dict):
        if any(form in read for form in _FORMS):
            return read
        # What MLflow 1 saved says no kind.
        if kind == "dataframe" or (not kind and {"columns", "data"} <= read.keys()):
            return {"dataframe_split": read}
    return {"inputs": read}


def _inside(folder: Path, name: str) -> Path | None:
    """A file of the model's folder; None where the name, or a link, leads out of it."""
    try:
        file = (folder / checked_path(name)).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (InvalidValueError, OSError, RuntimeError):  # a name that is too long, a link to itself
        return None


def _first_row(body: Mapping[str, Any]) -> Mapping[str, Any]:
    table = body.get("dataframe_split")
    if not isinstance(table, dict) or not isinstance(table.get("data"), list):
        return body
    kept = {key: value for key, value in table.items() if key != "index"}
    return {**body, "dataframe_split": {**kept, "data": table["data"][:1]}}


def _made(signature: Signature | None) -> Mapping[str, Any] | None:
    if signature is None or not signature.inputs:
        return None
    body = sample_request(signature)
    params = {field.name: field.default for field in signature.params}
    return {**body, "params": params} if body is not None and params else body
