"""The SQLite engine: one file of projrun's own, opened, recognised, migrated; its transactions. On the hot path."""

from __future__ import annotations

import _sqlite3 as sqlite3  # without the converters of dates, with which `datetime` comes: 3 ms of every start
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

from projrun.directories import is_read_only, make_private
from projrun.errors import (
    AlreadyExistsError,
    InvalidValueError,
    RequestError,
    TrackingError,
    UnavailableError,
)
from projrun.tracking.runs import LocalStore
from projrun.tracking.sql.engine import VERSION, marks
from projrun.tracking.sql.mounts import network_file_system
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from projrun.tracking.sql.migrations import Migration

APPLICATION_ID = 0x50524A52
"""`PRJR` in the file's header (`PRAGMA application_id`): how a projrun store is distinguished from other files."""
BUSY_TIMEOUT = 30.0
"""Seconds that a transaction waits for another process's."""

_NEW = "a file that does not exist yet; it will be created"

Warn = Callable[[str], None]


class SqliteDialect:
    """SQLite's `LIKE` ignores the case of ASCII letters, which is what MLflow's ILIKE does on it; `GLOB` does not."""

    lock = ""
    """A writing transaction is the only one."""

    unindexed = "+"
    """SQLite would guess which index is best; the search knows."""

    is_near = True
    rows_last = True

    def bounds(self, beginning: str) -> tuple[str, str] | None:
        """Texts are in the order of their characters."""
        following = ord(beginning[-1]) + 1
        if following > 0x10FFFF:
            return None
        # No text has half a surrogate pair.
        return beginning, beginning[:-1] + chr(0xE000 if following == 0xD800 else following)

    probe = ""
    """It answers all of them so, once another table's row is known."""

    small = 0

    def keys(self, values: Sequence[object]) -> tuple[str, Sequence[object]]:
        """One `?` for each."""
        return f"IN ({marks(values)})", values

    def any_of(self, column: str, values: Sequence[object]) -> tuple[str, object]:
        """A list of any length: SQLite before 3.32 takes 999 values."""
        import json

        test = f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608 -- the column is a constant
        return test, json.dumps(values)

    def schema(self, statement: str) -> str:
        """Migrations are in its words."""
        return statement

    def like(self, column: str, pattern: str) -> tuple[str, str]:
        """With regard to case."""
        signs = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
        return f"{column} GLOB ?", "".join(signs.get(character, character) for character in pattern)

    def ilike(self, column: str, pattern: str) -> tuple[str, str]:
        """Without regard to case."""
        return f"{column} LIKE ?", pattern


class SqliteConnection(sqlite3.Connection):
    """SQLite's own connection, and its dialect. It refuses NUL in texts, as PostgreSQL does."""

    dialect = SqliteDialect()

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        """Run one statement."""
        _check(values)
        return super().execute(statement, values)

    def insert_with(
        self, statement: str, values: Sequence[Any], following: str, rows: Sequence[Sequence[Any]], /
    ) -> None:
        """Write one row, and others that begin with its key."""
        key = self.execute(statement, values).lastrowid
        self.executemany(following, [(key, *row) for row in rows])

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> sqlite3.Cursor:  # type: ignore[override]
        """Run one statement for each row."""
        rows = list(rows)
        # A column of numbers, of which a batch has thousands, is known by its first.
        for place, value in enumerate(rows[0] if rows else ()):
            if type(value) is not int and type(value) is not float:
                _check(map(itemgetter(place), rows))
        return super().executemany(statement, rows)


def _check(values: Iterable[Any]) -> None:
    if "\0" in "".join([value for value in values if type(value) is str]):
        raise InvalidValueError("a value cannot be stored: NUL in a text")


_ALONE = ("COMMIT", "ROLLBACK")
_INNER = ("RELEASE inner_one", "ROLLBACK TO inner_one", "RELEASE inner_one")
"""How a transaction ends, and how it is undone: one by itself, and one of several that are joined."""


class SqliteEngine(LocalStore):
    """An `Engine`: a connection, used by one thread at a time, and the transactions on it."""

    def __init__(self, path: Path, connection: SqliteConnection) -> None:
        self.path = path
        self.uri = f"sqlite:///{path}"
        self._connection = connection
        self.found_version = 0
        """The schema's version before it was opened; 0 where there was no store."""
        self._joined = False
        self._file = _identity(path)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        warn: Warn | None = None,
        mountinfo: str | None = None,
        migrations: Sequence[Migration] | None = None,
    ) -> SqliteEngine:
        """Open the store's file, created, and migrated to the newest schema, if needed (`migrations` in tests).

        Raises RequestError for a file that is not projrun's or is newer than this projrun, and writes
        nothing into it; TrackingError where the file cannot be reached.
        """
        path = path.absolute()
        with _explained(path):
            if not _is_ours(path):
                _create_file(path)
            connection = sqlite3.connect(
                path,
                timeout=BUSY_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,
                factory=SqliteConnection,
            )
            engine = cls(path, connection)
            try:
                connection.execute("PRAGMA synchronous = NORMAL")
                # A table that is replaced is gone for a moment, so its foreign keys are not checked before.
                engine._migrate(migrations)
                connection.execute("PRAGMA foreign_keys = ON")
                engine._choose_journal(warn, mountinfo)
            except BaseException:
                connection.close()
                raise
        return engine

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[SqliteConnection]:
        """One consistent view for several queries."""
        with self._transaction("BEGIN") as connection:
            yield connection

    once = reading

    @contextmanager
    def writing(self) -> Iterator[SqliteConnection]:
        """One transaction of the only writer: all of it is kept, or none."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def joined(self) -> Iterator[None]:
        """One transaction around those inside."""
        # What undoes one of them would be written into a file, page by page.
        self._connection.execute("PRAGMA temp_store = MEMORY")
        with self.writing():
            self._joined = True
            try:
                yield
            finally:
                self._joined = False

    def check_place(self) -> None:
        """Raises UnavailableError where the file was removed or replaced: what is written would be lost with it.

        The other file is not opened: what is left of this one's log would be written into it.
        """
        found = _identity(self.path)
        if found != self._file:
            raise UnavailableError(
                f"the store {self.path} was {'replaced' if found else 'removed'} while it was in use",
                hint="end what uses it; remove its -wal and -shm files before another file takes its place",
            )

    def hurry(self) -> bool:
        """Nor is the log written into the file, which others do when they write."""
        self.wait_at_most(0)
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        return bool(self._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")

    def wait_at_most(self, seconds: float) -> None:
        """For locks of other processes."""
        self._connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[SqliteConnection]:
        connection = self._connection
        end, *undo = _INNER if self._joined else _ALONE
        with _explained(self.path):
            if self._joined and not connection.in_transaction:
                # A full disk may end the transaction around this one.
                raise sqlite3.OperationalError("what was to be kept together is lost")
            if not self._joined:
                self.check_place()
            connection.execute("SAVEPOINT inner_one" if self._joined else begin)
            try:
                yield connection
                connection.execute(end)
            except BaseException:
                if connection.in_transaction:
                    for statement in undo:
                        connection.execute(statement)
                raise

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self, given: Sequence[Migration] | None) -> None:
        version, newest = self._version(), VERSION if given is None else len(given)
        self.found_version = version
        if version > newest:
            raise RequestError(
                f"{self.path} was written by a newer projrun (schema {version}; this one knows {newest})",
                hint="upgrade projrun: pip install --upgrade projrun",
            )
        if version < newest:
            from projrun.tracking.sql.migrations import MIGRATIONS, migrate

            migrations = MIGRATIONS if given is None else given
            with self.writing() as connection:
                # Read again: another process may have come first while this one waited for the lock.
                migrate(connection, migrations[self._version() :])
                broken = connection.execute("PRAGMA foreign_key_check").fetchone()
                if broken:
                    raise sqlite3.IntegrityError(
                        f"rows of {broken[0]} name rows of {broken[2]} that are not there"
                    )
                connection.execute(f"PRAGMA user_version = {newest}")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _choose_journal(self, warn: Warn | None, mountinfo: str | None) -> None:
        network = network_file_system(self.path.parent, mountinfo)
        if network and warn:
            warn(
                f"{self.path.parent} is on a network file system ({network}), where SQLite is slow "
                "and its locks may fail; set PROJRUN_HOME to a local folder, or use a tracking server"
            )
        if not network:
            # Searches look up thousands of rows: a page that is mapped costs half of one that is read.
            self._connection.execute("PRAGMA mmap_size = 268435456")
        try:
            self._connection.execute(f"PRAGMA journal_mode = {'DELETE' if network else 'WAL'}")
        except sqlite3.OperationalError:
            # Another process is in the file. Both modes are correct; the next to open it changes the mode.
            return


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another at its path; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a third of the time, before every transaction
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _is_ours(path: Path) -> bool:
    """Whether the file exists and is a projrun store; raises RequestError if it is something else.

    Asked through SQLite itself: reading the header by hand would, on closing the file, drop the locks that
    other connections of this process hold on it (sqlite.org/howtocorrupt.html 2.2). `immutable` writes nothing,
    not even a `-shm` file beside a store that belongs to another program.
    """
    for attempt in range(4):
        if not path.exists() or path.stat().st_size == 0:
            return False
        application, tables = _peek(path, "&immutable=1")
        if tables is None and _has_log(path):
            # Half of its log was written into it when the disk was full, or the machine went down.
            application, tables = _peek(path, "")
        if application == APPLICATION_ID:
            return True
        if attempt < 3:
            # Another process may be writing its first page at this moment.
            time.sleep(0.02)
    raise _foreign(path, tables)


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _peek(path: Path, options: str) -> tuple[int, frozenset[str] | None]:
    """A file's application id and its tables; no tables but None where it is not SQLite."""
    if not path.is_file():
        raise RequestError(f"{path} is not a file", hint="give the path of a store's file")
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro{options}", uri=True)
    try:
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
        if application == APPLICATION_ID:
            return application, frozenset()
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return application, frozenset(row[0] for row in rows)
    except sqlite3.DatabaseError:
        return 0, None
    finally:
        connection.close()


def _foreign(path: Path, tables: frozenset[str] | None) -> RequestError:
    from projrun.tracking.sql.foreign import refuse_mlflow

    if tables is None:
        return RequestError(
            f"{path} is not a projrun store: it is not an SQLite file",
            hint=f"give {_NEW}",
        )
    refuse_mlflow(f"sqlite:///{path}", tables, _NEW)
    return RequestError(
        f"{path} is an SQLite file of another program, not a projrun store",
        hint=f"give {_NEW}",
    )


def _create_file(path: Path) -> None:
    """An empty file that only its owner can read, in a folder likewise. What exists keeps its mode."""
    make_private(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as the store's."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if str(error).startswith("UNIQUE constraint failed"):
            raise AlreadyExistsError(f"the store has one already: {error}") from error
        raise _unreachable(path, error) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise InvalidValueError(f"a value cannot be stored: {error}") from error


def _unreachable(path: Path, error: Exception) -> TrackingError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return TrackingError(
            f"the store {path} is locked by another process",
            hint="let the other command finish, then try again",
        )
    if "malformed" in text or "not a database" in text:
        return TrackingError(
            f"the store {path} is damaged: {text}", hint="restore it from a backup, or move it out of the way"
        )
    if is_read_only(path.parent):
        text = f"{text}: Read-only file system"
    return TrackingError(
        f"the store {path} cannot be used: {text}", hint="is the disk full, or the folder not writable?"
    )
