"""Signatures as MLflow writes them into the MLmodel file."""

from __future__ import annotations

import json

import pytest

from projrun.models.signature import DataType, Field, Signature, parse_signature

LONG = DataType("long")


def one(**given: object) -> Field:
    """The only input of a signature with this field."""
    (field,) = parse_signature({"inputs": json.dumps([given])}).inputs
    return field


def test_columns() -> None:
    assert one(type="double", name="alcohol", required=True) == Field("alcohol", DataType("double"))
    assert not one(type="string", name="x", required=False).required
    assert not one(type="string", name="x", optional=True).required  # MLflow before 2.10
    assert one(type="long") == Field("", LONG)


def test_columns_of_columns() -> None:
    assert one(name="a", type="array", items={"type": "long"}).type == DataType("array", LONG)
    assert one(name="m", type="map", values="long").type == DataType("map", LONG)
    inner = one(name="o", type="object", properties={"b": {"type": "long", "required": False}})
    assert inner.type.properties == (Field("b", LONG, required=False),)
    assert str(inner.type) == "object(b: long)"
    assert str(one(type="array", items={"type": "array", "items": "long"}).type) == "array(array(long))"
    assert one(name="x", type="any", required=False).type.word == "any"


def test_tensors_and_params() -> None:
    spec = {"dtype": "float32", "shape": [-1, 28, 28]}
    tensor = one(name="image", type="tensor", **{"tensor-spec": spec})
    assert tensor.type == DataType("tensor", dtype="float32", shape=(-1, 28, 28))
    assert str(tensor.type) == "float32(-1, 28, 28)"
    params = [{"name": "k", "type": "long", "default": [1, 2], "shape": [-1]}]
    signature = parse_signature({"params": json.dumps(params)})
    assert signature == Signature(params=(Field("k", DataType("long", shape=(-1,)), default=[1, 2]),))


@pytest.mark.parametrize(
    "text",
    [
        "{", "{}", "3", '["long"]', "[{}]", '[{"type": 3}]', '[{"type": "tensor"}]', '[{"type": "object"}]',
        '[{"type": "array"}]', '[{"type": "long", "shape": "x"}]', "[" * 70 + "]" * 70,
        [{"type": "long"}],  # MLflow writes a text
    ],
)  # fmt: skip
def test_what_is_no_signature_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_signature({"inputs": text})
