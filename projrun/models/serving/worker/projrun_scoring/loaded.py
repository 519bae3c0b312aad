"""The model of a worker: loaded by MLflow or without it, and its answers."""

from __future__ import annotations

import json
import os

from .loading import SKLEARN, LoadError, load, needs_mlflow
from .with_mlflow import MlflowModel, installed_version, load_only, load_with_mlflow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .model import Model

    Answer = tuple[dict[str, Any], bytes]

CHOICE = "PROJRUN_MODEL_LOADER"
"""The variable that says who loads a model that both could: `mlflow` or `projrun`."""
_SAME = (3, 12)
"""Since this version, MLflow's answers are ours, to the letter."""
_OF_MLFLOW = ("MLFLOW_DISABLE_SCHEMA_DETAILS", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "SERVING_MODEL_CONFIG")


class LoadedModel:
    """Answers requests for predictions."""

    def __init__(
        self, model: Union[Model, MlflowModel], signature: dict[str, Any] | None
    ) -> None:  # Python 3.7
        """`model` knows scoring protocol 2.0; `signature` is the MLmodel file's."""
        self._model = model
        self._signature = signature
        self._inference: Any = None
        self.version = model.version
        self.predict = model.predict
        self.errors = model.errors
        """What `predict` raises for data that does not fit the signature."""
        self.refusal = model.refusal
        """The head and the body of the answer that such an error is."""

    def answer(self, content_type: str, body: bytes) -> Answer:
        """The head and the body of the answer."""
        head, answer = self._model.answer(content_type, body)
        if head["status"] != 400:
            return head, answer
        wrapped = _wrapped(content_type, body)
        if wrapped is None:
            return head, answer
        head, answer = self._model.answer(content_type, wrapped)
        # The draft that became RFC 9745 had a flag, which old clients know.
        head["headers"] = {"deprecation": "true"}
        return head, answer

    def infer(self, body: bytes, told: dict[str, Any]) -> Answer:
        """The same for a request of the Open Inference Protocol; `told` are the first fields of the answer."""
        if self._inference is None:
            from .inference import Inference

            self._inference = Inference(self, self._signature)
        head, answer = self._inference.answer(body, told)
        return head, answer


def _wrapped(content_type: str, body: bytes) -> bytes | None:
    """MLflow 1's body, which was what is the value of `dataframe_split` today; None for any other."""
    if content_type.partition(";")[0].strip() != "application/json":
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return None
    if not isinstance(value, dict) or not {"columns", "data"} <= set(value) <= {"columns", "data", "index"}:
        return None
    return b'{"dataframe_split":' + body + b"}"


def load_model(folder: str, document: dict[str, Any]) -> LoadedModel:
    """Load the model in a folder; `document` is what its MLmodel file says.

    Raises LoadError, ImportError, and whatever the model's own code raises.
    """
    version = installed_version()
    flavors, signature = document["flavors"], document.get("signature")
    if needs_mlflow(flavors["python_function"]) and not version:
        raise LoadError(
            "its environment has no mlflow, which loads it: add mlflow or mlflow-skinny and pandas"
        )
    if not version or _is_ours(flavors["python_function"], version):
        return LoadedModel(_ours(load(folder, flavors), document, version), signature)
    theirs = load_with_mlflow(folder, version)
    return LoadedModel(theirs or _ours(load_only(folder), document, version), signature)


def _is_ours(function: dict[str, Any], version: str) -> bool:
    """Whether a model that MLflow could load is loaded without it."""
    if needs_mlflow(function):
        return False
    choice = os.environ.get(CHOICE)
    if choice is not None:
        return choice == "projrun"
    # A module of the model's own may rely on what MLflow does around it.
    return (
        function["loader_module"] == SKLEARN
        and _parts(version) >= _SAME
        and not any(name in os.environ for name in _OF_MLFLOW)
    )


def _ours(predict: Any, document: dict[str, Any], version: str) -> Model:
    from .model import Model

    version = version or document.get("mlflow_version") or ""
    return Model(predict, document.get("signature"), version)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
