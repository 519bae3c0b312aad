"""JSON Schemas of what a model takes and gives over MLflow's scoring protocol, by its signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from projrun.models.signature import ARRAY, MAP, OBJECT, TENSOR, DataType, Field, Signature

Schema = dict[str, Any]
"""JSON Schema of 2020-12, as OpenAPI 3.1 has it."""

_SCALARS: dict[str, Schema] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "string": {"type": "string"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "datetime": {"type": "string", "format": "date-time"},
}
_DTYPES = {"bool": "boolean", "int": "integer", "uint": "integer", "float": "number", "str": "string"}
"""JSON's types by NumPy's names without their digits; what is in other tensors may be anything."""


def request_schema(signature: Signature, row: Schema, params: Schema) -> Schema:
    """Of a request's body in JSON; `row` and `params` lead to those schemas."""
    fields = signature.inputs
    forms = {"instances": _array(row), "inputs": _inputs(fields)}
    if not is_tensor(fields):
        forms = {"dataframe_split": _split(fields), "dataframe_records": _array(row), **forms}
    other = {"params": params} if signature.params else {}
    return {
        "oneOf": [
            {"type": "object", "title": name, "required": [name], "properties": {name: form, **other}}
            for name, form in forms.items()
        ]
    }


def answer_schema(signature: Signature) -> Schema:
    """Of the answer's body."""
    fields = signature.outputs
    if is_tensor(fields):
        predictions = _inputs(fields)
    elif len(fields) == 1:  # a column alone is a list of values, or of rows
        cell = _field_schema(fields[0])
        predictions = _array({"anyOf": [cell, row_schema(fields)]} if fields[0].name else cell)
    else:
        predictions = _array(row_schema(fields)) if fields else {}
    return {"type": "object", "required": ["predictions"], "properties": {"predictions": predictions}}


def row_schema(fields: Sequence[Field]) -> Schema:
    """Of one row of a table, or of one item of a batch of tensors."""
    items = [field._replace(type=_item(field.type)) for field in fields]
    if all(field.name for field in items):
        return _object(items) if items else {}
    if is_tensor(items):
        return _field_schema(items[0])
    return {"type": "array", "prefixItems": [_field_schema(field) for field in items]}


def params_schema(fields: Sequence[Field]) -> Schema:
    """Of the params, all of which have defaults."""
    properties = {field.name: {**value_schema(field.type), "default": field.default} for field in fields}
    return {"type": "object", "properties": properties}


def value_schema(of: DataType) -> Schema:
    """Of one cell of a table, of a whole tensor, or of a param."""
    if of.word == TENSOR:
        word = _DTYPES.get(of.dtype.rstrip("0123456789"))
        return _nested({"type": word} if word else {}, of.shape)
    if of.word == ARRAY and of.inner:
        return _array(value_schema(of.inner))
    if of.word == MAP and of.inner:
        return {"type": "object", "additionalProperties": value_schema(of.inner)}
    if of.word == OBJECT:
        return _object(of.properties)
    scalar = dict(_SCALARS.get(of.word, {}))
    return scalar if of.shape is None else _nested(scalar, of.shape)


def is_tensor(fields: Sequence[Field]) -> bool:
    """Whether they are tensors, not the columns of a table."""
    return any(field.type.word == TENSOR for field in fields)


def _split(fields: Sequence[Field]) -> Schema:
    """Cells are in the order of `columns`, which the client chooses."""
    cells: list[Schema] = []
    for schema in map(_field_schema, fields):
        if schema not in cells:
            cells.append(schema)
    names = [field.name for field in fields if field.name]
    columns = {**_array({"type": "string"}), **({"examples": [names]} if names else {})}
    data = _array(_array({"anyOf": cells} if cells else {}))
    properties = {"columns": columns, "data": data, "index": {"type": "array"}}
    return {"type": "object", "required": ["data"], "properties": properties}


def _inputs(fields: Sequence[Field]) -> Schema:
    """Of whole columns or tensors; one without a name stands alone."""
    if not fields:
        return {}
    if is_tensor(fields):
        return _object(fields) if all(field.name for field in fields) else value_schema(fields[0].type)
    if not all(field.name for field in fields):
        return _array(row_schema(fields))
    return _object(fields, lambda field: _array(_field_schema(field)))


def _object(fields: Sequence[Field], schema_of: Callable[[Field], Schema] | None = None) -> Schema:
    schema_of = schema_of or _field_schema
    schema: Schema = {"type": "object", "properties": {field.name: schema_of(field) for field in fields}}
    required = [field.name for field in fields if field.required]
    return {**schema, "required": required} if required else schema


def _field_schema(field: Field) -> Schema:
    schema = value_schema(field.type)
    return schema if field.required or not schema else {"anyOf": [schema, {"type": "null"}]}


def _item(of: DataType) -> DataType:
    return of._replace(shape=of.shape[1:]) if of.word == TENSOR and of.shape else of


def _nested(item: Schema, shape: Sequence[int] | None) -> Schema:
    if shape is None:
        return {}
    for length in reversed(shape):
        bounds = {} if length < 0 else {"minItems": length, "maxItems": length}
        item = {**_array(item), **bounds}
    return item


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items} if items else {"type": "array"}
