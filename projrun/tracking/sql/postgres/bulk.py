"""Many rows in one statement: each column is an array, in PostgreSQL's binary form, which `unnest` makes rows of.

To send a thousand points as statements of their own costs three times as much, and a text for each number is made.
"""

# ruff: noqa: S608 -- only constants of the store are put into statements; values are placeholders

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_INSERT = re.compile(r"INSERT INTO \w+ \((?P<columns>[^)]+)\) VALUES \([?, ]+\)(?P<conflict>.*)", re.DOTALL)
_UPDATE = re.compile(r"UPDATE \w+ SET [^()]+ WHERE [^()]+", re.DOTALL)
_TARGET = re.compile(r" ON CONFLICT \(([^)]+)\) DO UPDATE ")
_NULL = struct.pack(">i", -1)
_ONE = 1
"""Arrays have one dimension, and count from one."""


class _Array(bytes):
    """The values of a column, as PostgreSQL reads them."""


class _Integers(_Array):
    pass


class _Floats(_Array):
    pass


class _Texts(_Array):
    pass


class _Kind(NamedTuple):
    """How values of one type are sent."""

    array: type[_Array]
    oid: int
    array_oid: int
    pack: Callable[[Sequence[Any]], bytes]


def _numbers(sign: str) -> Callable[[Sequence[Any]], bytes]:
    def pack(values: Sequence[Any]) -> bytes:
        if None in values:
            return b"".join(
                _NULL if value is None else struct.pack(f">i{sign}", 8, value) for value in values
            )
        sized: list[Any] = [8] * (2 * len(values))
        sized[1::2] = values
        return struct.pack(f">{f'i{sign}' * len(values)}", *sized)

    return pack


def _texts(values: Sequence[Any]) -> bytes:
    pieces: list[bytes] = []
    for value in values:
        encoded = b"" if value is None else value.encode()
        pieces += (_NULL if value is None else len(encoded).to_bytes(4, "big"), encoded)
    return b"".join(pieces)


_KINDS: dict[type, _Kind] = {
    int: _Kind(_Integers, 20, 1016, _numbers("q")),
    float: _Kind(_Floats, 701, 1022, _numbers("d")),
    str: _Kind(_Texts, 25, 1009, _texts),
}


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


def register(connection: psycopg.Connection[Any]) -> None:
    """Have a connection send arrays."""
    for kind in _KINDS.values():
        dumper = type(f"{kind.array.__name__}Dumper", (_ArrayDumper,), {"oid": kind.array_oid})
        connection.adapters.register_dumper(kind.array, dumper)


def together(statement: str, rows: Sequence[Sequence[Any]]) -> tuple[str, list[bytes]] | None:
    """One statement for all rows, and its values; None where there is none.

    Of several rows for one key, the last one counts, as if each had been written by itself.
    """
    bulk = _bulk(statement, len(rows[0]))
    if bulk is None:
        return None
    if bulk.key:
        rows = list({tuple([row[place] for place in bulk.key]): row for row in rows}.values())
    columns = [_column(values) for values in zip(*rows, strict=True)]
    if None in columns:
        return None
    return bulk.text, [column for column in columns if column is not None]


@lru_cache(16)
def with_key(statement: str, following: str) -> str:
    """One statement that inserts a row, and rows that begin with its key: their other columns come after its values."""
    head = following.partition(" VALUES ")[0]
    given = f"unnest({', '.join('?' * (following.count('?') - 1))})"
    return (
        f"WITH made AS ({statement} RETURNING id) {head} SELECT made.id, given.* FROM made, {given} AS given"
    )


def columns_of(rows: Sequence[Sequence[Any]]) -> list[bytes]:
    """The columns of rows, each of which has values of one type."""
    columns = [*map(_column, zip(*rows, strict=True))]
    if None in columns:
        raise TypeError("a column has values of several types")
    return [column for column in columns if column is not None]


def _column(values: Sequence[Any]) -> bytes | None:
    """None where the values are of several types, or too large for theirs."""
    types = {*map(type, values)} - {type(None)}
    kind = _KINDS.get(types.pop()) if len(types) == 1 else None
    if kind is None:
        return None
    try:
        packed = kind.pack(values)
    except struct.error:
        return None
    head = struct.pack(">iiIii", _ONE, int(None in values), kind.oid, len(values), _ONE)
    return kind.array(head + packed)


class _Bulk(NamedTuple):
    text: str
    key: tuple[int, ...] = ()
    """Which values of a row are the key of what an upsert overwrites: one statement does that once."""


@lru_cache(256)
def _bulk(statement: str, width: int) -> _Bulk | None:
    given = f"unnest({', '.join('?' * width)})"
    if insert := _INSERT.fullmatch(statement):
        columns, target = insert["columns"].split(", "), _TARGET.match(insert["conflict"])
        head = statement.partition(" VALUES ")[0]
        key = tuple(columns.index(name) for name in target[1].split(", ")) if target else ()
        return _Bulk(f"{head} SELECT * FROM {given}{insert['conflict']}", key)
    if _UPDATE.fullmatch(statement):
        names = [f"c{number}" for number in range(width)]
        pieces = statement.split("?")
        text = "".join(
            [pieces[0], *(f"given.{name}{piece}" for name, piece in zip(names, pieces[1:], strict=True))]
        )
        return _Bulk(text.replace(" WHERE ", f" FROM {given} AS given ({', '.join(names)}) WHERE "))
    return None
