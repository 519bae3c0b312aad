"""`/openapi.json`: the addresses of a server, and what its models take and give, for programs (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projrun.models.names import model_path
from projrun.models.serving.description import Description
from projrun.models.serving.docs.inference import SCHEMAS, inference_paths, server_paths
from projrun.models.serving.docs.schemas import answer_schema, params_schema, request_schema, row_schema
from projrun.models.signature import Signature

Document = dict[str, Any]

_PROTOCOL = "2.0"
"""Of MLflow's scoring server."""
_ERROR: Document = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
}
_REFUSALS = {
    "400": "The model does not take the input",
    "413": "The body is too large",
    "503": "No worker can answer now: try again",
}
_TEXT: Document = {"text/plain": {"schema": {"type": "string"}}}


def openapi(descriptions: Sequence[Description]) -> Document:
    """The document for the models of a server."""
    schemas: Document = {"Error": _ERROR, **SCHEMAS}
    paths: Document = {}
    for index, each in enumerate(descriptions):
        names = f"Model{index + 1}" if len(descriptions) > 1 else ""
        schemas |= _schemas(each.signature or Signature(), names)
        root = model_path(each.name) if len(descriptions) > 1 else ""
        paths[f"{root}/invocations"] = {"post": _invocations(each, names)}
        paths[f"{root}/version"] = {"get": _text(f"The version of MLflow that {each.name} is loaded with")}
        if root:
            paths[f"{root}/ping"] = {"get": _health(f"Whether {each.name} can answer")}
        paths |= inference_paths(each.name, names)
    paths |= {
        "/ping": {"get": _health("Whether requests are answered")},
        "/metrics": {"get": _text("For Prometheus")},
        **server_paths(),
    }
    title = ", ".join(each.name for each in descriptions)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": _PROTOCOL,
            "summary": "MLflow's scoring protocol, and the Open Inference Protocol",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _schemas(signature: Signature, names: str) -> Document:
    row, params = f"{names}Row", f"{names}Params"
    return {
        row: row_schema(signature.inputs),
        params: params_schema(signature.params),
        f"{names}Request": request_schema(signature, _reference(row), _reference(params)),
        f"{names}Answer": answer_schema(signature),
    }


def _invocations(model: Description, names: str) -> Document:
    body: Document = {"schema": _reference(f"{names}Request")}
    if model.example is not None:
        body["example"] = model.example
    table: Document = {"schema": {"type": "string"}}
    error = {"application/json": {"schema": _reference("Error")}}
    answer = {"application/json": {"schema": _reference(f"{names}Answer")}}
    return {
        "summary": f"Predictions of {model.name}",
        "operationId": f"invoke{names}",
        "requestBody": {"required": True, "content": {"application/json": body, "text/csv": table}},
        "responses": {
            "200": {"description": "The predictions", "content": answer},
            **{code: {"description": what, "content": error} for code, what in _REFUSALS.items()},
            "504": {"description": "The model took too long", "content": _TEXT},
        },
    }


def _health(summary: str) -> Document:
    return {"summary": summary, "responses": {"200": {"description": "Yes"}, "503": {"description": "No"}}}


def _text(summary: str) -> Document:
    return {"summary": summary, "responses": {"200": {"description": "The text", "content": _TEXT}}}


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}
