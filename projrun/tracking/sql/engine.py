"""The engine of the SQL store: a database's connections and transactions, and where its SQL differs. On the hot path.

Statements of this package are SQL that SQLite and PostgreSQL both read. Values are marked `?`: an engine whose
driver marks them otherwise rewrites the statement (no statement holds a `?` in a literal).

PostgreSQL keeps no other writer out of a transaction: what was read may have changed before the next statement. Hence
- new numbers come from a table's own key, or from a counter in a row: `UPDATE ... SET last = last + 1`, then read it;
- a row that what is written depends on is read with `dialect.lock` at the statement's end, and stays as it is;
- a unique name is written with `insert_new`, and taken where no row was written (`rowcount` 0);
- rows are written in the order of their keys: two transactions never wait for each other.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from projrun.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import Any

CHUNK = 500
"""Values in one `IN` list: SQLite before 3.32 takes 999 in a statement."""
UNLIMITED = 2**62
"""A `LIMIT` that is none."""
DO_NOTHING = " ON CONFLICT DO NOTHING"
"""The end of a statement that leaves rows as they are which are there already."""
VERSION = 9
"""Of the schema: how many `migrations` there are, which only a store that is older needs to import."""

Row = tuple["Any", ...]


class Changed(Protocol):
    """How many rows a statement changed."""

    @property
    def rowcount(self) -> int: ...


class Cursor(Changed, Protocol):
    """The rows of a statement, or how many it changed."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Dialect(Protocol):
    """Where databases differ. Of a comparison it gives the text, and the value of its `?`."""

    @property
    def lock(self) -> str:
        """The end of a SELECT whose rows no other transaction changes before this one's end."""
        ...

    @property
    def unindexed(self) -> str:
        """The sign before a column that keeps its index from being used."""
        ...

    @property
    def is_near(self) -> bool:
        """Whether it is in this process: one statement more costs less than rows that have columns of nothing."""
        ...

    @property
    def rows_last(self) -> bool:
        """Whether a search looks up a run's row after what other tables tell of it; else the planner knows best."""
        ...

    def bounds(self, beginning: str) -> tuple[str, str] | None:
        """The text from which on, and that before which, texts that begin so stand in an index; None if unknown."""
        ...

    @property
    def probe(self) -> str:
        """The end of a subquery that is answered for each row by itself; else the planner joins whole tables."""
        ...

    @property
    def small(self) -> int:
        """Runs up to which it joins whole tables for filters in less time than it is asked for a better way."""
        ...

    def keys(self, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """That a column, which stands before it, has one of these values, and the values of its `?`."""
        ...

    def any_of(self, column: str, values: Sequence[Any]) -> tuple[str, Any]:
        """That a column has one of many values, which are one `?`."""
        ...

    def schema(self, statement: str) -> str:
        """A statement of a migration in this database's words."""
        ...

    def like(self, column: str, pattern: str) -> tuple[str, str]:
        """`LIKE`, with regard to case; `%` and `_` stand for any characters and for one."""
        ...

    def ilike(self, column: str, pattern: str) -> tuple[str, str]:
        """`LIKE`, without regard to case."""
        ...


class Connection(Protocol):
    """What the functions of this package are given: valid in the transaction that it was given for."""

    @property
    def dialect(self) -> Dialect: ...
    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor: ...
    def insert_with(
        self, statement: str, values: Sequence[Any], following: str, rows: Sequence[Sequence[Any]], /
    ) -> None:
        """Write one row, and some by the statement `following`, which begin with the key that the first one gets."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Changed:
        """Run a statement for each row; no two of an UPDATE are for one row of the table."""
        ...


class Engine(Protocol):
    """One database, open and with the newest schema. Used by one thread at a time.

    Its own errors never leave it: in a transaction they become TrackingError (the database cannot be used) or
    InvalidValueError (a value cannot be stored).
    """

    @property
    def uri(self) -> str:
        """Where it is, without credentials."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction with one consistent view for several queries."""
        ...

    def once(self) -> AbstractContextManager[Connection]:
        """For a single statement that reads, which sees one state of the database by itself."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that keeps other writers out: all of it is kept, or none."""
        ...

    def close(self) -> None:
        """Let go of the database; a second call does nothing."""
        ...


def marks(values: Sequence[Any]) -> str:
    """As many placeholders as there are values: `?, ?, ?`."""
    return ", ".join("?" * len(values))


def in_list(column: str, values: Sequence[Any]) -> str:
    """The condition that a column has one of some values, which no row fulfils where there are none."""
    return f"{column} IN ({marks(values)})" if values else "1 = 0"


def insert(table: str, columns: str) -> str:
    """The statement for a row of these columns (`a, b`)."""
    return f"INSERT INTO {table} ({columns}) VALUES ({marks(columns.split(', '))})"


def insert_new(table: str, columns: str) -> str:
    """As `insert`; a row that is there already stays as it is."""
    return f"{insert(table, columns)}{DO_NOTHING}"


def upsert(table: str, key: str, columns: str) -> str:
    """As `insert`, for rows of `key` and `columns`; of a row that is there already, `columns` are overwritten."""
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns.split(", "))
    return f"{insert(table, f'{key}, {columns}')} ON CONFLICT ({key}) DO UPDATE SET {changes}"


def select_in(connection: Connection, statement: str, keys: Iterable[Any]) -> list[Row]:
    """The rows of a statement that says `IN ({keys})` once or several times, asked in chunks."""
    values, found, times = list(keys), [], statement.count("{keys}")
    for start in range(0, len(values), CHUNK // times):
        chunk = values[start : start + CHUNK // times]
        text, given = connection.dialect.keys(chunk)
        found += connection.execute(statement.replace("IN ({keys})", text), [*given] * times).fetchall()
    return found
