"""A PostgreSQL database becomes a store, is recognised as one, and upgraded. Its version is in `projrun_schema`."""

# ruff: noqa: S608 -- names of tables come from the database's own catalog

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projrun.errors import RequestError
from projrun.tracking.sql.foreign import refuse_mlflow
from projrun.tracking.sql.migrations import MIGRATIONS, Migration, migrate
from projrun.tracking.sql.postgres.engine import PostgresConnection, PostgresEngine

_LOCK = 0x50524A52
"""Of all who create or upgrade this database's store: `PRJR`, as in SQLite's files."""
_EMPTY = "an empty database: createdb NAME"
_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))"
    " AND relkind IN ('r', 'p')"
)
_KEYS = (
    "SELECT table_name, pg_get_serial_sequence(quote_ident(table_name), column_name), column_name"
    " FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'"
)


def prepare(engine: PostgresEngine, migrations: Sequence[Migration] = MIGRATIONS) -> bool:
    """Make a store of an empty database: true; check that another is one with the newest schema.

    Raises RequestError for a database of another program, and for a store that is older or newer.
    """
    with engine.reading() as connection:
        version = _version(engine, connection, len(migrations))
    if version == 0:
        return upgrade(engine, migrations) == 0
    if version < len(migrations):
        raise RequestError(
            f"the store {engine.uri} has an older schema ({version}; this projrun needs {len(migrations)})",
            hint=f"make a backup, then: projrun server upgrade-db {engine.uri}",
        )
    return False


def upgrade(engine: PostgresEngine, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the database to the newest schema, all of it or nothing; the version that it had, 0 for none."""
    with engine.writing() as connection:
        # A large table may take hours, and so may the wait for another who upgrades.
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
        version = _version(engine, connection, len(migrations))
        if version == 0:
            connection.execute("CREATE TABLE projrun_schema (version BIGINT NOT NULL)")
            connection.execute("INSERT INTO projrun_schema (version) VALUES (0)")
        if version < len(migrations):
            migrate(connection, migrations[version:])
            _count_on(connection)
            connection.execute("UPDATE projrun_schema SET version = ?", (len(migrations),))
    return version


def _version(engine: PostgresEngine, connection: PostgresConnection, newest: int) -> int:
    """The schema's version, 0 in an empty database. Raises RequestError for a newer one, or another program's."""
    tables = {row[0] for row in connection.execute(_TABLES)}
    if "projrun_schema" not in tables:
        if tables:
            raise _foreign(engine.uri, tables)
        return 0
    version: int = _only(connection, "SELECT version FROM projrun_schema")
    if version > newest:
        raise RequestError(
            f"the store {engine.uri} was written by a newer projrun (schema {version}; this one knows {newest})",
            hint="upgrade projrun: pip install --upgrade projrun",
        )
    return version


def _foreign(uri: str, tables: set[str]) -> RequestError:
    refuse_mlflow(uri, tables, _EMPTY)
    return RequestError(
        f"{uri} holds tables of another program ({', '.join(sorted(tables)[:3])})", hint=f"give {_EMPTY}"
    )


def _count_on(connection: PostgresConnection) -> None:
    """Rows that were copied with their keys: the next number comes after all of them."""
    for table, sequence, column in connection.execute(_KEYS).fetchall():
        largest = _only(connection, f'SELECT max("{column}") FROM "{table}"')
        if largest:
            connection.execute(
                f"SELECT setval('{sequence}', greatest(?, last_value)) FROM {sequence}", (largest,)
            )


def _only(connection: PostgresConnection, statement: str) -> Any:
    ((value,),) = connection.execute(statement).fetchall()
    return value
