"""What was written to a run-scoped store and is not in its target yet: a list that SQLite's triggers keep.

A change stands in the transaction of the value itself, so none is missing, and it goes when the target has it. A
batch is marked before it is sent: one that is still marked may or may not have arrived.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.sql.engine import Connection

METRIC_TRIGGER = "point"
_VALUES = "value, timestamp, step, is_nan, dataset_name, dataset_digest, model_id"


def _trigger(name: str, event: str, columns: str, values: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS journal_{name} AFTER {event} BEGIN"
        f" INSERT INTO journal_changes ({columns}) {values}; END"
    )


SCHEMA = (
    """CREATE TABLE IF NOT EXISTS journal_changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        run BIGINT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL DEFAULT '',
        value,
        timestamp BIGINT,
        step BIGINT,
        is_nan INTEGER,
        dataset_name TEXT,
        dataset_digest TEXT,
        model_id TEXT)""",
    "CREATE INDEX IF NOT EXISTS journal_changes_by_run ON journal_changes (run, seq)",
    """CREATE TABLE IF NOT EXISTS journal_runs (
        run BIGINT NOT NULL PRIMARY KEY,
        target TEXT NOT NULL DEFAULT '',
        sent BIGINT NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS journal_models (
        model_id TEXT NOT NULL PRIMARY KEY,
        target TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS journal_files (
        place TEXT NOT NULL,
        size BIGINT NOT NULL,
        changed BIGINT NOT NULL,
        PRIMARY KEY (place)) WITHOUT ROWID""",
    _trigger(
        METRIC_TRIGGER, "INSERT ON points", f"run, kind, key, {_VALUES}",
        "SELECT run, 'metric', key, NEW.value, NEW.timestamp, NEW.step, NEW.is_nan, nullif(dataset_name, ''),"
        " nullif(dataset_digest, ''), nullif(model_id, '') FROM series WHERE id = NEW.series",
    ),
    _trigger("param", "INSERT ON params", "run, kind, key, value", "VALUES (NEW.run, 'param', NEW.key, NEW.value)"),
    _trigger("tag", "INSERT ON tags", "run, kind, key, value", "VALUES (NEW.run, 'tag', NEW.key, NEW.value)"),
    _trigger("new_tag", "UPDATE ON tags", "run, kind, key, value", "VALUES (NEW.run, 'tag', NEW.key, NEW.value)"),
    _trigger("no_tag", "DELETE ON tags", "run, kind, key", "VALUES (OLD.run, 'no tag', OLD.key)"),
    _trigger(
        "state", "UPDATE OF status, end_time ON runs", "run, kind, key, value",
        "VALUES (NEW.id, 'state', NEW.status, NEW.end_time)",
    ),
    _trigger("dataset", "INSERT ON run_datasets", "run, kind, key", "VALUES (NEW.run, 'inputs', 'dataset')"),
    _trigger("model", "INSERT ON run_models", "run, kind, key", "VALUES (NEW.run, 'inputs', NEW.direction)"),
)  # fmt: skip
"""Tables and triggers beside a store's own; only a run-scoped store has them."""

_COLUMNS = f"seq, kind, key, {_VALUES}"


class Change(NamedTuple):
    """One value that the target does not have yet."""

    seq: int
    kind: str
    """`metric`, `param`, `tag`, `no tag` (deleted), `state` (key: status, value: end time) or `inputs`."""
    key: str
    value: Any
    timestamp: int | None = None
    step: int | None = None
    is_nan: int | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None
    model_id: str | None = None

    def metric(self) -> Metric:
        """The metric of a change that is one."""
        value = float("nan") if self.is_nan else float(self.value)
        return Metric(
            self.key,
            value,
            self.timestamp or 0,
            self.step or 0,
            self.dataset_name,
            self.dataset_digest,
            self.model_id,
        )

    def entity(self) -> Metric | Param | Tag:
        """The value of a change that is one."""
        if self.kind == "metric":
            return self.metric()
        return Param(self.key, self.value) if self.kind == "param" else Tag(self.key, self.value)


def waiting(connection: Connection, run: int, limit: int) -> list[Change]:
    """The oldest changes of a run."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM journal_changes WHERE run = ? ORDER BY seq LIMIT ?", (run, limit)
    )
    return [Change(*row) for row in rows]


def count(connection: Connection) -> int:
    """How many changes wait."""
    number: int = connection.execute("SELECT count(*) FROM journal_changes").fetchone()[0]
    return number


def mark(connection: Connection, run: int, seq: int) -> None:
    """Note that changes up to `seq` are about to be sent."""
    connection.execute("UPDATE journal_runs SET sent = ? WHERE run = ?", (seq, run))


def remove(connection: Connection, run: int, changes: Sequence[Change]) -> None:
    """Remove what the target has. Changes are taken in their order, so all up to the last one go."""
    last = changes[-1].seq
    connection.execute("DELETE FROM journal_changes WHERE run = ? AND seq <= ?", (run, last))
    connection.execute("UPDATE journal_runs SET sent = 0 WHERE run = ? AND sent <= ?", (run, last))


def forget(connection: Connection, run: int) -> None:
    """Remove all changes of a run: its target has, or will never have, what it holds now."""
    connection.execute("DELETE FROM journal_changes WHERE run = ?", (run,))
