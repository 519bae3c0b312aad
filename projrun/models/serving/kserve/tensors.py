"""The inputs and outputs of a signature as tensors of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projrun.models.signature import TENSOR, DataType, Field

_WORDS = {
    "boolean": "BOOL", "integer": "INT32", "long": "INT64", "float": "FP32", "double": "FP64",
}  # fmt: skip
_DTYPES = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64", "int8": "INT8",
    "int16": "INT16", "int32": "INT32", "int64": "INT64", "float16": "FP16", "float32": "FP32", "float64": "FP64",
}  # fmt: skip
_CONTENT_TYPES = {"string": "str", "binary": "base64", "datetime": "datetime"}
"""What is in the texts of columns, by MLServer's words; others are JSON."""


def input_tensors(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """One for each column, or each tensor; places count from 0 for inputs and from 1 for outputs, as in MLServer."""
    return [_tensor(field.name or f"input-{index}", field.type) for index, field in enumerate(fields)]


def output_tensors(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """See `input_tensors`."""
    return [_tensor(field.name or f"output-{index}", field.type) for index, field in enumerate(fields, 1)]


def _tensor(name: str, of: DataType) -> dict[str, Any]:
    if of.word == TENSOR:
        return {"name": name, "datatype": _DTYPES.get(of.dtype, "BYTES"), "shape": list(of.shape or ())}
    datatype = _WORDS.get(of.word)
    tensor: dict[str, Any] = {"name": name, "datatype": datatype or "BYTES", "shape": [-1, 1]}
    if datatype is None:
        tensor["parameters"] = {"content_type": _CONTENT_TYPES.get(of.word, "pd_json")}
    return tensor
