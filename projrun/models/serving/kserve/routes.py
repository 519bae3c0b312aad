"""The Open Inference Protocol (KServe's v2): the addresses below `/v2`, and what is at them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from starlette.types import Receive, Scope

from projrun.models.serving.answers import Answer, error_message, json_answer
from projrun.models.serving.endpoint import Endpoint
from projrun.models.serving.kserve.tensors import input_tensors, output_tensors
from projrun.models.serving.route import Route
from projrun.models.signature import Signature
from projrun.version import __version__

_ROOT = "/v2"
_BINARY = b"inference-header-content-length"
"""The header by which a request says that tensors follow its JSON."""


def is_inference(path: str) -> bool:
    """Whether errors at a path are in the shape of the protocol."""
    return path == _ROOT or path.startswith(f"{_ROOT}/")


class OpenInference:
    """The addresses of the protocol."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = {each.name: each for each in endpoints}
        self._routes = {
            _ROOT: Route("GET", _server),
            f"{_ROOT}/health/live": Route("GET", _live),
            f"{_ROOT}/health/ready": Route("GET", self._ready),
        }
        for each in endpoints:
            place = f"{_ROOT}/models/{each.name}"
            self._routes[place] = Route("GET", partial(_metadata, each))
            self._routes[f"{place}/ready"] = Route("GET", partial(_model_ready, each))
            self._routes[f"{place}/infer"] = Route("POST", partial(_infer, each))

    def find(self, path: str) -> Route | None:
        """What is at a path; `/versions/N` may be in it where that is the version that is served."""
        parts = path.split("/")
        if parts[4:5] == ["versions"]:
            endpoint = self._endpoints.get(parts[3])
            if endpoint is None or not endpoint.version or parts[5:6] != [endpoint.version]:
                return None
            path = "/".join((*parts[:4], *parts[6:]))
        return self._routes.get(path)

    def absent(self, path: str) -> Answer:
        """The answer where nothing is found."""
        parts = path.split("/")
        if parts[2:3] != ["models"] or len(parts) < 4:
            return error(404, "Not Found")
        endpoint = self._endpoints.get(parts[3])
        if endpoint is None:
            return error(404, f"There is no model {parts[3]!r} here: there is {', '.join(self._endpoints)}.")
        if parts[4:5] == ["versions"] and parts[5:6] != [endpoint.version]:
            known = f"version {endpoint.version}" if endpoint.version else "no versions"
            return error(404, f"The model {endpoint.name!r} has {known} here.")
        return error(404, "Not Found")

    async def _ready(self, scope: Scope, receive: Receive) -> Answer:
        is_ready = all(each.pool.is_healthy for each in self._endpoints.values())
        return json_answer({"ready": is_ready}, 200 if is_ready else 503)


def error(status: int, message: str) -> Answer:
    """An error in the shape of the protocol."""
    return json_answer({"error": message}, status)


async def _server(scope: Scope, receive: Receive) -> Answer:
    return json_answer({"name": "projrun", "version": __version__, "extensions": []})


async def _live(scope: Scope, receive: Receive) -> Answer:
    return json_answer({"live": True})


async def _model_ready(endpoint: Endpoint, scope: Scope, receive: Receive) -> Answer:
    is_ready = endpoint.pool.is_healthy
    return json_answer({"name": endpoint.name, "ready": is_ready}, 200 if is_ready else 503)


async def _metadata(endpoint: Endpoint, scope: Scope, receive: Receive) -> Answer:
    signature = endpoint.pool.description.signature or Signature()
    return json_answer(
        {
            "name": endpoint.name,
            "versions": [endpoint.version] if endpoint.version else [],
            "platform": "mlflow",
            "inputs": input_tensors(signature.inputs),
            "outputs": output_tensors(signature.outputs),
        }
    )


async def _infer(endpoint: Endpoint, scope: Scope, receive: Receive) -> Answer | None:
    headers = dict(scope["headers"])
    # A page of any site may send other types, or none, to this machine without asking; Triton's client sends none.
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and (kind or b"origin" in headers):
        return error(415, "Send JSON, with the header Content-Type: application/json.")
    if _BINARY in headers:
        return error(400, "Binary tensors are not supported: send the data as JSON.")
    model = {"model_name": endpoint.name}
    if endpoint.version:
        model["model_version"] = endpoint.version
    answer = await endpoint.predict(scope, receive, {"infer": model})
    return answer if answer is None or answer.status < 400 else _translated(answer)


def _translated(answer: Answer) -> Answer:
    """An error in MLflow's shape, or in words alone, in that of the protocol."""
    return error(answer.status, error_message(answer))._replace(headers=answer.headers)
