"""A request to try a model with: the example that was saved with it, else one made from its signature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from projrun.bounded import parse_json, read_file
from projrun.errors import InvalidValueError
from projrun.models.mlmodel import InputExample, MLmodel
from projrun.models.serving.docs.samples import sample_request
from projrun.models.signature import Signature
from projrun.tracking.artifacts.paths import checked_path

_LARGEST = 100_000
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
    """The body of a request that was saved with the model. MLflow before 2.14 saved the input alone."""
    if example is None:
        return None
    for name in (example.serving, example.file):
        file = _inside(folder, name)
        try:
            read = None if file is None else parse_json(read_file(file, _LARGEST).decode())
        except (OSError, ValueError):
            continue
        if read is not None:
            return _body(read, example.kind)
    return None


def _body(read: object, kind: str) -> Mapping[str, Any] | None:
    if isinstance(read, dict) and any(form in read for form in _FORMS):
        return read
    if kind == "dataframe" and isinstance(read, dict):
        return {"dataframe_split": read}
    return None if kind.startswith("sparse") else {"inputs": read}


def _inside(folder: Path, name: str) -> Path | None:
    """A file of the model's folder; None where the name, or a link, leads out of it."""
    try:
        file = (folder / checked_path(name)).resolve()
    except InvalidValueError:
        return None
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


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
