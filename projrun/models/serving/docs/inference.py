"""The Open Inference Protocol in the OpenAPI document: the same for all models, whose metadata has their tensors."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

Document = dict[str, Any]

DATATYPES = (
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES",
)  # fmt: skip
_TEXT: Document = {"type": "string"}
_TENSOR: Document = {
    "type": "object",
    "required": ["name", "datatype", "shape", "data"],
    "properties": {
        "name": _TEXT,
        "datatype": {"enum": DATATYPES},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "data": {"type": "array"},
        "parameters": {"type": "object"},
    },
}
_TENSORS: Document = {"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}}
SCHEMAS: Document = {
    "Tensor": _TENSOR,
    "InferRequest": {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": _TEXT,
            "inputs": {**_TENSORS, "minItems": 1},
            "outputs": {
                "type": "array",
                "items": {"type": "object", "required": ["name"], "properties": {"name": _TEXT}},
            },
            "parameters": {"type": "object"},
        },
    },
    "InferAnswer": {
        "type": "object",
        "required": ["model_name", "outputs"],
        "properties": {"model_name": _TEXT, "model_version": _TEXT, "id": _TEXT, "outputs": _TENSORS},
    },
    "InferError": {"type": "object", "required": ["error"], "properties": {"error": _TEXT}},
}
_REFUSALS = {
    "400": "The model does not take the input",
    "413": "The body is too large",
    "503": "No worker can answer now: try again",
    "504": "The model took too long",
}


def inference_paths(name: str, prefix: str) -> Document:
    """The addresses of a model; `prefix` makes the operation's id unique."""
    root = f"/v2/models/{quote(name, safe='', errors='replace')}"
    return {
        root: {"get": _told(f"The tensors that {name} takes and gives")},
        f"{root}/ready": {"get": _told(f"Whether {name} can answer", "503")},
        f"{root}/infer": {"post": _infer(name, prefix)},
    }


def server_paths() -> Document:
    """Those of the server."""
    return {
        "/v2": {"get": _told("What this server is")},
        "/v2/health/live": {"get": _told("Whether the server answers")},
        "/v2/health/ready": {"get": _told("Whether all models can answer", "503")},
    }


def _infer(name: str, prefix: str) -> Document:
    return {
        "summary": f"Predictions of {name}, by the Open Inference Protocol",
        "operationId": f"infer{prefix}",
        "requestBody": {"required": True, "content": _content("InferRequest")},
        "responses": {
            "200": {"description": "The predictions", "content": _content("InferAnswer")},
            **{
                code: {"description": what, "content": _content("InferError")}
                for code, what in _REFUSALS.items()
            },
        },
    }


def _told(summary: str, *codes: str) -> Document:
    answer = {"description": "JSON", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"summary": summary, "responses": dict.fromkeys(("200", *codes), answer)}


def _content(schema: str) -> Document:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
