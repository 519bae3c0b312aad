"""The MLmodel file of a model's folder: which flavors it has, what it takes and gives, and what it was made by.

Files of MLflow 1 to 3 are read. What a field is, MLflow says in `mlflow.models.Model`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from projrun.errors import RequestError
from projrun.models.signature import Signature, parse_signature
from projrun.project.reading.document import parse_document
from projrun.project.text import read_text

MLMODEL = "MLmodel"
"""The name of the file."""
PYFUNC = "python_function"
"""The flavor that can be served: a Python function over tables or tensors."""
_VERSION = re.compile(r"\d+(\.\w+)*\+?")
_LARGEST = 1 << 63

Part = TypeVar("Part")


class NoModelError(RequestError):
    """A folder has no MLmodel file."""


class InputExample(NamedTuple):
    """The example that was saved with the model."""

    file: str
    """A path in the model's folder; `serving` is the same as a request's body, where MLflow saved that too."""
    serving: str = ""
    kind: str = ""
    """`dataframe`, `ndarray`, `sparse_matrix_csc`, `sparse_matrix_csr`, `json_object`."""


class MLmodel(NamedTuple):
    """What the file says."""

    flavors: Mapping[str, Mapping[str, Any]]
    signature: Signature | None = None
    input_example: InputExample | None = None
    model_id: str = ""
    """Of the logged model, or what MLflow 1 and 2 call the model's UUID."""
    run_id: str = ""
    artifact_path: str = ""
    mlflow_version: str = ""
    created: str = ""
    """UTC, as MLflow writes it: `2026-11-29 07:57:09.710656`."""
    size_bytes: int | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def pyfunc(self) -> Mapping[str, Any] | None:
        """The flavor that can be served, if the model has it."""
        return self.flavors.get(PYFUNC)

    @property
    def python(self) -> str:
        """The version of the Python that saved it; empty where the file says none."""
        written = str((self.pyfunc or {}).get("python_version"))
        return written if _VERSION.fullmatch(written) else ""


def read_mlmodel(folder: Path) -> MLmodel:
    """Raises NoModelError for a folder without one, RequestError for a file that is none."""
    return _read(folder, _mlmodel)


def read_written(folder: Path) -> Mapping[str, Any]:
    """The file as it is written, once it was found to be a model's. Raises RequestError as `read_mlmodel` does."""
    return _read(folder, lambda written: _mlmodel(written) and written)


def _read(folder: Path, use: Callable[[Mapping[str, Any]], Part]) -> Part:
    file = folder / MLMODEL
    if not file.is_file():
        raise NoModelError(
            f"{folder} is not a model: it has no MLmodel file",
            hint="give the folder that `log_model` or `save_model` wrote",
        )
    written = read_yaml(file)
    try:
        if not isinstance(written, dict):
            raise ValueError("not a mapping")
        return use(written)
    except ValueError as error:
        raise RequestError(f"{file} is damaged: {error}") from None


def read_yaml(file: Path) -> object:
    """What a YAML file of a model holds. Raises RequestError for a damaged one."""
    document = parse_document(file.name, read_text(file, file.name))
    try:
        return yaml.SafeLoader("").construct_document(document.root) if document.root else None
    except (ValueError, yaml.YAMLError) as error:
        problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else None
        raise RequestError(f"{file} is damaged: {problem or error}") from None


def _mlmodel(written: Mapping[str, Any]) -> MLmodel:
    signature, size = written.get("signature"), written.get("model_size_bytes")
    metadata = written.get("metadata")
    if signature is not None and not isinstance(signature, dict):
        raise ValueError("its signature is not a mapping")
    return MLmodel(
        flavors=_flavors(written.get("flavors")),
        signature=None if signature is None else parse_signature(signature),
        input_example=_example(written.get("saved_input_example_info")),
        model_id=_text(written, "model_id") or _text(written, "model_uuid"),
        run_id=_text(written, "run_id"),
        artifact_path=_text(written, "artifact_path"),
        mlflow_version=_text(written, "mlflow_version"),
        created=_text(written, "utc_time_created"),
        size_bytes=size if isinstance(size, int) and 0 <= size < _LARGEST else None,
        metadata=metadata if isinstance(metadata, dict) else None,
    )


def _flavors(written: object) -> dict[str, Mapping[str, Any]]:
    if not isinstance(written, dict) or not all(isinstance(flavor, dict) for flavor in written.values()):
        raise ValueError("it has no flavors")
    return {str(name): flavor for name, flavor in written.items()}


def _example(written: object) -> InputExample | None:
    if not isinstance(written, dict) or not _text(written, "artifact_path"):
        return None
    return InputExample(
        _text(written, "artifact_path"), _text(written, "serving_input_path"), _text(written, "type")
    )


def _text(written: Mapping[str, Any], key: str) -> str:
    value = written.get(key)
    return "" if value is None else str(value)
