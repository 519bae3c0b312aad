"""The Open Inference Protocol (KServe's v2): requests of tensors made into what the model takes.

A table has one tensor for each column, as in MLServer. The model's signature says what is made of a request; without
one, its `content_type` (`pd`, `np`, `dict`) says it, or its form.
"""

from __future__ import annotations

import base64
import json

import numpy as np

from .outputs import outputs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Answer = tuple[dict[str, Any], bytes]

JSON = "application/json"
DTYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "BYTES": "object",
}  # fmt: skip
"""NumPy's names of the datatypes."""
TAKEN: dict[str, set[type]] = {
    "BO": {bool}, "BY": {str, type(None)}, "FP": {int, float, type(None)}, "IN": {int}, "UI": {int},
}  # fmt: skip
"""What JSON has in the data, by the first letters of the datatype; null is a missing number or text."""
WORDS = {"base64": "binary", "datetime": "datetime", "pd_json": "any"}
"""Types of signatures by MLServer's content types of an input."""
MOST = 64
"""Dimensions of an array of NumPy."""
NESTED = ("array", "object", "map", "any")


class RequestError(Exception):
    """The request is not as the protocol says, or not as the model takes it."""


class Inference:
    """Answers requests of the protocol with a model."""

    def __init__(self, model: Any, signature: dict[str, Any] | None) -> None:
        """`model` is what was loaded; `signature` is the MLmodel file's."""
        signature = signature or {}
        self._model = model
        self._fields = _listed(signature.get("inputs"))
        self._names = [each.get("name") for each in _listed(signature.get("outputs"))]
        self._params = {each.get("name") for each in _listed(signature.get("params"))}

    def answer(self, body: bytes, told: dict[str, Any]) -> Answer:
        """The head and the body of the answer, which begins with what is `told`."""
        try:
            request = _request(body)
            try:
                data = self._data(request)
            except UnicodeEncodeError as error:  # half of a pair, which JSON may have and pandas refuses
                raise RequestError("A text is no Unicode: {}".format(error)) from None
            params = {name: value for name, value in _parameters(request).items() if name in self._params}
            predictions = self._model.predict(data, params or None)
            outputs = _chosen(outputs_of(predictions, self._names), request.get("outputs"))
        except RequestError as error:
            refused = {"error_code": "INVALID_PARAMETER_VALUE", "message": str(error)}
            return {"status": 400, "type": JSON}, json.dumps(refused).encode()
        except self._model.errors as error:
            head, refusal = self._model.refusal(error)
            return head, refusal
        given = {"id": request["id"]} if isinstance(request.get("id"), str) else {}
        answer = dict(told, **given, outputs=outputs)
        return {"status": 200, "type": JSON}, json.dumps(answer, separators=(",", ":")).encode()

    def _data(self, request: dict[str, Any]) -> Any:
        tensors = [Tensor(each) for each in request["inputs"]]
        names = [each.name for each in tensors]
        if len(set(names)) < len(names):
            raise RequestError("An input is there twice: {}.".format(", ".join(names)))
        kind = _parameters(request).get("content_type") or self._kind(tensors)
        if kind == "pd":
            return self._table(tensors)
        dtypes = {
            each.get("name"): each["tensor-spec"]["dtype"] for each in self._fields if "tensor-spec" in each
        }
        if kind == "dict":
            return {each.name: each.array(dtypes.get(each.name, "")) for each in tensors}
        if len(tensors) > 1:
            raise RequestError(
                "The model takes one tensor, not {}: {}.".format(len(tensors), ", ".join(names))
            )
        return tensors[0].array(dtypes.get(None, ""))

    def _kind(self, tensors: list[Tensor]) -> str:
        if not self._fields:
            return "np" if len(tensors) == 1 and len(tensors[0].shape) > 1 else "pd"
        if "tensor-spec" in self._fields[0]:
            return "dict" if self._fields[0].get("name") else "np"
        return "pd"

    def _table(self, tensors: list[Tensor]) -> Any:
        import pandas

        words = {each.get("name"): each["type"] for each in self._fields}
        if self._fields and None in words:  # columns by their place
            words = {each.name: field["type"] for each, field in zip(tensors, self._fields)}
        columns = {each.name: each.column(words.get(each.name, "")) for each in tensors}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join("{!r} has {}".format(*each) for each in lengths.items())
            raise RequestError("The inputs have different numbers of rows: {}.".format(told))
        table = pandas.DataFrame(columns)
        if self._fields and self._fields[0].get("name") is None:
            table.columns = pandas.RangeIndex(len(columns))
        return table


class Tensor:
    """One input of a request."""

    def __init__(self, given: Any) -> None:
        """Raises RequestError for what is no tensor."""
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            raise RequestError("An input is not an object with a name.")
        self.name: str = given["name"]
        datatype, shape = given.get("datatype"), given.get("shape")
        if not isinstance(datatype, str) or datatype not in DTYPES:
            raise self._wrong("has the datatype {!r}; it may be {}".format(datatype, ", ".join(DTYPES)))
        if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
            raise self._wrong("has no shape, which is a list of sizes")
        if len(shape) > MOST:
            raise self._wrong("has more than {} dimensions".format(MOST))
        if not isinstance(given.get("data"), list):
            raise self._wrong("has no data, which is a list; binary data is not supported")
        self.datatype: str = datatype
        self.shape: list[int] = shape
        self.word = WORDS.get(str(_parameters(given).get("content_type")), "")
        self.data = _flat(given["data"])
        self._check()

    def _check(self) -> None:
        size = 1
        for each in self.shape:
            size *= each
        if len(self.data) != size:
            raise self._wrong(
                "has {} values, and its shape {} asks for {}".format(len(self.data), self.shape, size)
            )
        if not TAKEN[self.datatype[:2]].issuperset(map(type, self.data)):
            raise self._wrong("has values that are no {}".format(self.datatype))
        if self.datatype[:2] in ("IN", "UI") and self.data:
            limits = np.iinfo(DTYPES[self.datatype])
            if min(self.data) < limits.min or max(self.data) > limits.max:
                raise self._wrong("has values that are too large for {}".format(self.datatype))

    def array(self, dtype: str = "") -> Any:
        """As an array; texts are of the signature's `dtype`."""
        kind = "str" if self.datatype == "BYTES" and dtype.startswith("str") else DTYPES[self.datatype]
        try:
            return np.array(self.data, dtype=kind).reshape(self.shape)
        except (ValueError, OverflowError) as error:
            raise self._wrong("cannot be made an array: {}".format(error)) from None

    def column(self, word: str) -> Any:
        """As a column of the signature's type `word`."""
        import pandas

        rows = self.shape[0] if self.shape else 0
        if not self.shape or (rows and len(self.data) % rows):
            raise self._wrong("has no rows")
        if len(self.data) != rows:
            return pandas.Series(self.array().tolist(), dtype="object")  # a list in each row
        if self.datatype != "BYTES":
            return pandas.Series(self.array().reshape(-1))
        word = word or self.word
        try:
            if word == "datetime":  # each by itself: pandas takes the first one's format for all
                times = pandas.Series([pandas.Timestamp(each) for each in self.data])
                return pandas.to_datetime(times, utc=True).dt.tz_localize(None)
            convert = _decoded if word == "binary" else json.loads if word in NESTED else None
            values = [each if each is None or convert is None else convert(each) for each in self.data]
        except (ValueError, RecursionError, OverflowError) as error:
            raise self._wrong("has values that are no {}: {}".format(word, error)) from None
        # Of texts alone pandas knows best, and makes what it makes of MLflow's JSON.
        return pandas.Series(values, dtype=None if values and convert is None else "object")

    def _wrong(self, what: str) -> RequestError:
        return RequestError("The input {!r} {}.".format(self.name, what))


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError("The body is no JSON: {}".format(error)) from None
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list) or not request["inputs"]:
        raise RequestError("The body has no `inputs`, which is a list of tensors.")
    return request


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    parameters = given.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _flat(data: list[Any]) -> list[Any]:
    """The values in the order of their rows, also where rows are lists."""
    while data and all(type(each) is list for each in data):
        data = [value for row in data for value in row]
    return data


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _chosen(outputs: list[dict[str, Any]], wanted: Any) -> list[dict[str, Any]]:
    """Those that the request names, in its order; all where it names none."""
    if not wanted:
        return outputs
    if not isinstance(wanted, list) or not all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in wanted
    ):
        raise RequestError("The `outputs` are not a list of objects with names.")
    known = {each["name"]: each for each in outputs}
    for each in wanted:
        if each["name"] not in known:
            raise RequestError(
                "The model has no output {!r}: it has {}.".format(each["name"], ", ".join(known))
            )
    return [known[each["name"]] for each in wanted]


def _listed(text: Any) -> list[dict[str, Any]]:
    return json.loads(text) if isinstance(text, str) else text or []
