"""Models that the environment's own MLflow loads and answers for."""

from __future__ import annotations

import importlib.util
import inspect
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


def load_with_mlflow(folder: str, version: str) -> MlflowModel | None:
    """The model, answering as this MLflow's server does; whatever its code raises is raised here.

    None for MLflow 1, whose scoring protocol was another one, and where what its server needs is missing.
    """
    if version.startswith("1."):
        return None
    try:
        from mlflow.pyfunc import scoring_server
    except ImportError:
        return None
    load = getattr(scoring_server, "load_model_with_mlflow_config", scoring_server.load_model)
    kind = FlaskModel if "flask" in inspect.getsource(scoring_server.init) else MlflowModel
    return kind(load(folder), scoring_server, version)


def load_only(folder: str) -> Any:
    """The function that predicts, of an MLflow whose scoring server is not asked."""
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(folder).predict


class MlflowModel:
    """Answers through the functions of MLflow's scoring server."""

    def __init__(self, model: Any, scoring_server: Any, version: str) -> None:
        """`model` is a PyFuncModel, `scoring_server` MLflow's module."""
        from mlflow.exceptions import MlflowException

        self.version = version
        self.errors: tuple[Any] = (MlflowException,)
        self._model = model
        self._scoring = scoring_server
        self._schema = model.metadata.get_input_schema()

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


class FlaskModel(MlflowModel):
    """Answers through the Flask application of MLflow up to 2.21 or so, whose functions need its request."""

    def __init__(self, model: Any, scoring_server: Any, version: str) -> None:
        """`model` is a PyFuncModel, `scoring_server` MLflow's module."""
        super().__init__(model, scoring_server, version)
        app = scoring_server.init(model)
        app.config["PROPAGATE_EXCEPTIONS"] = True  # instead of a page that does not say what failed
        self._client = app.test_client()

    def answer(self, content_type: str, body: bytes) -> Answer:
        """The head and the body of the answer to a request for predictions."""
        reply = self._client.post("/invocations", data=body, content_type=content_type)
        return {"status": reply.status_code, "type": reply.mimetype}, reply.data
