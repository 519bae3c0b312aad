"""Models that the environment's own MLflow loads and answers for."""

from __future__ import annotations

import importlib.util
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Answer = tuple[dict[str, Any], bytes]

JSON = "application/json"


def installed_version() -> str:
    """Of the environment's MLflow, which is not imported; empty where there is none."""
    found = importlib.util.find_spec("mlflow")
    if found is None or not found.origin:  # a folder that only has that name has no origin
        return ""
    with open(os.path.join(os.path.dirname(found.origin), "version.py"), encoding="utf-8") as stream:
        version = re.search(r"""^VERSION\s*=\s*["'](.+?)["']""", stream.read(), re.MULTILINE)
    return version.group(1) if version else "unknown"


def has_invocations() -> bool:
    """Whether that MLflow answers a request outside of its own server: those from 2.3 on do."""
    from mlflow.pyfunc import scoring_server

    return hasattr(scoring_server, "invocations")


class MlflowModel:
    """Answers through MLflow's own scoring functions."""

    def __init__(self, folder: str, version: str) -> None:
        """Load it; whatever its code raises is raised here."""
        from mlflow.exceptions import MlflowException
        from mlflow.pyfunc import scoring_server

        self.version = version
        self._scoring: Any = scoring_server
        self.errors: tuple[Any] = (MlflowException,)
        load = getattr(scoring_server, "load_model_with_mlflow_config", scoring_server.load_model)
        self._model = load(folder)
        self._schema = self._model.metadata.get_input_schema()

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The model's predictions for data as its signature has it. Raises MLflow's exception for any other."""
        return self._model.predict(data) if params is None else self._model.predict(data, params=params)

    def answer(self, content_type: str, body: bytes) -> Answer:
        """The head and the body of the answer to a request for predictions."""
        try:
            result = self._scoring.invocations(body, content_type, self._model, self._schema)
        except self.errors as error:
            return self.refusal(error)
        return {"status": result.status, "type": result.mimetype}, result.response.encode()

    def refusal(self, error: Any) -> Answer:
        """The head and the body of the answer that an error is."""
        return {"status": error.get_http_status_code(), "type": JSON}, error.serialize_as_json().encode()


def load_only(folder: str) -> Any:
    """The function that predicts, of an MLflow whose server is older than scoring protocol 2.0 or has no function."""
    import mlflow.pyfunc

    model = mlflow.pyfunc.load_model(folder)
    return model.predict
