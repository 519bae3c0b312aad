"""Tables in bodies of requests: which ones can be put together, and how the answer is divided.

Rows stay the texts that they are. Two tables go together where they have the same form, columns, params and kinds of
cells: then MLflow's parsing gives every row the types that it has alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from projrun.tuples import NamedTuple

_JSON = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
_LARGEST = 64 << 10
"""Bytes: reading a larger body costs more than asking for it together with others saves."""
_SAFE = 1 << 53
"""Above it, an integer beside others may become another type than alone."""
_ROWS = ("dataframe_records", "instances", "inputs")

_Cell = int | float | str | bool | None


class _Split(Struct, forbid_unknown_fields=True):
    columns: Raw
    data: list[Raw]


class _Body(Struct, forbid_unknown_fields=True):
    dataframe_split: _Split | UnsetType = UNSET
    dataframe_records: list[Raw] | UnsetType = UNSET
    instances: list[Raw] | UnsetType = UNSET
    inputs: list[Raw] | UnsetType = UNSET
    params: Raw = Raw(b"")


class _Predictions(Struct, forbid_unknown_fields=True):
    predictions: list[Raw]


_read = msgspec.json.Decoder(_Body).decode
_read_row = msgspec.json.Decoder(list[_Cell] | dict[str, _Cell]).decode
_read_predictions = msgspec.json.Decoder(_Predictions).decode


class Table(NamedTuple):
    """The rows of a request."""

    kind: tuple[object, ...]
    """Equal for tables that go together."""
    head: bytes
    """Of a body with such rows; `tail` follows them."""
    tail: bytes
    rows: Sequence[Raw]

    @property
    def form(self) -> str:
        """Which of MLflow's forms it has."""
        return str(self.kind[0])


def read_table(content_type: str, body: bytes) -> Table | None:
    """The table of a body; None for one that is to be asked for alone, right or wrong."""
    if len(body) > _LARGEST or content_type.lower() not in _JSON:
        return None
    try:
        read = _read(body)
        form, head, rows, tail = _parts(read)
        cells = _cells(rows)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    params = bytes(read.params)
    tail += b', "params": ' + params + b"}" if params else b"}"
    return Table((form, head, params, cells), head, tail, rows)


def _parts(body: _Body) -> tuple[str, bytes, list[Raw], bytes]:
    split, others = body.dataframe_split, [name for name in _ROWS if getattr(body, name) is not UNSET]
    if not isinstance(split, UnsetType) and not others:
        head = b'{"dataframe_split": {"columns": ' + bytes(split.columns) + b', "data": ['
        return "dataframe_split", head, split.data, b"]}"
    if len(others) != 1 or not isinstance(split, UnsetType):
        raise ValueError("not one table")
    return others[0], b'{"%s": [' % others[0].encode(), getattr(body, others[0]), b"]"


def _cells(rows: Iterable[Raw]) -> tuple[object, ...]:
    """The kinds of a row's cells, which all rows share."""
    found = {_kinds(_read_row(row)) for row in rows}
    if len(found) != 1:
        raise ValueError("rows of several kinds, or none")
    return found.pop()


def _kinds(row: list[_Cell] | dict[str, _Cell]) -> tuple[object, ...]:
    cells = row if isinstance(row, list) else row.values()
    if any(type(cell) is int and abs(cell) > _SAFE for cell in cells):
        raise ValueError("an integer whose type depends on the others")
    kinds = tuple(map(type, cells))
    return kinds if isinstance(row, list) else (*row, dict, *kinds)


def together(tables: Sequence[Table]) -> bytes:
    """One body with the rows of all."""
    rows = b", ".join(row for table in tables for row in table.rows)
    return b"".join((tables[0].head, rows, tables[0].tail))


def divided(body: bytes, tables: Sequence[Table]) -> list[bytes] | None:
    """The answer's part for each table; None where it has not one prediction for each row."""
    try:
        texts = _texts(body)
    except (ValueError, RecursionError):
        return None
    if len(texts) != sum(len(table.rows) for table in tables):
        return None
    parts, start = [], 0
    for table in tables:
        end = start + len(table.rows)
        parts.append(b'{"predictions": [' + b", ".join(texts[start:end]) + b"]}")
        start = end
    return parts


def _texts(body: bytes) -> list[bytes]:
    try:
        return list(map(bytes, _read_predictions(body).predictions))
    except msgspec.DecodeError:  # Python's NaN and Infinity are no JSON
        read = json.loads(body)
        if (
            not isinstance(read, dict)
            or list(read) != ["predictions"]
            or not isinstance(read["predictions"], list)
        ):
            raise ValueError("no list of predictions") from None
        return [json.dumps(each).encode() for each in read["predictions"]]
