"""Runs, params and tags in SQL. Each function works within the caller's transaction."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.artifacts.uris import below
from projrun.tracking.entities import Param, Run, Tag
from projrun.tracking.sql import experiments
from projrun.tracking.sql.engine import Connection, insert, insert_new, upsert
from projrun.tracking.sql.experiments import now
from projrun.tracking.sql.names import generate_id, generate_run_name
from projrun.tracking.sql.run_rows import COLUMNS, from_rows, read_one
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.statuses import RunStatus

RUN_NAME = "mlflow.runName"
_INSERT = insert(
    "runs", "run_id, experiment_id, run_name, status, start_time, artifact_uri, user_id, lifecycle_stage"
)
_INSERT_PARAM = insert_new("params", "run, key, value")
_INSERT_TAG = insert("tags", "run, key, value")
_UPSERT_TAG = upsert("tags", "run, key", "value")


def create(
    connection: Connection,
    experiment_id: str,
    *,
    run_name: str,
    user_id: str,
    start_time: int,
    tags: Sequence[Tag],
    origin_id: str = "",
) -> Run:
    """A run that is RUNNING. The tag `mlflow.runName` may give the name; without one, it is generated."""
    number, location = experiments.active_place(connection, experiment_id)
    name = _choose_name(run_name, tags)[: limits.TAG_VALUE]
    run_id, start = origin_id or generate_id(), start_time or now()
    uri = below(location, f"{run_id}/artifacts")
    kept = dict(_checked([*tags, Tag(RUN_NAME, name)]))  # of several tags of one key, the last
    written = tuple([Tag(*tag) for tag in sorted(kept.items())])
    values = (run_id, number, name, "RUNNING", start, uri, user_id, "active")
    connection.insert_with(_INSERT, values, _INSERT_TAG, written)
    return Run(run_id, experiment_id, name, "RUNNING", start, None, uri, user_id, "active", tags=written)


def get_plain(connection: Connection, run_id: str) -> Run | None:
    """In one statement; None for a run that has more than that reads, datasets or models. Raises NotFoundError."""
    run, has_more = read_one(connection, run_id)
    if run is None:
        raise _missing(run_id)
    return None if has_more else run


def get(connection: Connection, run_id: str) -> Run:
    """Raises NotFoundError."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM runs WHERE run_id = ?", (run_id,)).fetchall()
    if not rows:
        raise _missing(run_id)
    return from_rows(connection, rows)[0]


def key_of(connection: Connection, run_id: str) -> int:
    """The key that other tables know a run by. Raises NotFoundError."""
    return _key_and_stage(connection, run_id)[0]


def writable_key(connection: Connection, run_id: str) -> int:
    """As `key_of`; raises InvalidValueError for a deleted run, to which nothing may be logged.

    Until the transaction's end no other one changes the run, so that the order of what both write is of no matter.
    """
    key, stage = _key_and_stage(connection, run_id, connection.dialect.lock)
    if stage != "active":
        raise InvalidValueError(f"The run {run_id} must be in the 'active' state. Current state is {stage}.")
    return key


def update(
    connection: Connection,
    run_id: str,
    *,
    status: RunStatus | None,
    end_time: int | None,
    run_name: str | None,
) -> Run:
    """Change what is given; an empty name changes nothing, as in MLflow."""
    key = writable_key(connection, run_id)
    if status is not None:
        connection.execute("UPDATE runs SET status = ? WHERE id = ?", (status, key))
    if end_time is not None:
        connection.execute("UPDATE runs SET end_time = ? WHERE id = ?", (end_time, key))
    if run_name:
        _write_tags(connection, key, [Tag(RUN_NAME, run_name)])
    return get(connection, run_id)


def log_params(connection: Connection, key: int, run_id: str, params: Sequence[Param]) -> None:
    """Write params once: the same value again is fine, another is an InvalidValueError."""
    if not params:
        return
    new = _shortened(params)
    rows = [(key, *item) for item in new.items()]
    if connection.executemany(_INSERT_PARAM, rows).rowcount == len(rows):
        return
    present = dict(connection.execute("SELECT key, value FROM params WHERE run = ?", (key,)).fetchall())
    for name, value in new.items():
        if present[name] != value:
            raise InvalidValueError(
                f"Changing param values is not allowed. Param with key={name!r} was already logged with"
                f" value={present[name]!r} for run ID={run_id!r}. Attempted logging new value {value!r}."
            )


def set_tags(connection: Connection, key: int, tags: Sequence[Tag]) -> None:
    """Write tags over what was there; `mlflow.runName` renames the run."""
    if tags:
        _write_tags(connection, key, tags)


def delete_tag(connection: Connection, run_id: str, name: str) -> None:
    """Raises NotFoundError where the run has no such tag."""
    key = writable_key(connection, run_id)
    deleted = connection.execute("DELETE FROM tags WHERE run = ? AND key = ?", (key, name))
    if not deleted.rowcount:
        raise NotFoundError(f"No tag with name: {name} in run with id {run_id}")


def _key_and_stage(connection: Connection, run_id: str, lock: str = "") -> tuple[int, str]:
    statement = f"SELECT id, lifecycle_stage FROM runs WHERE run_id = ?{lock}"
    row = connection.execute(statement, (run_id,)).fetchone()
    if row is None:
        raise _missing(run_id)
    return row[0], row[1]


def _missing(run_id: str) -> NotFoundError:
    return NotFoundError(f"Run with id={run_id} not found")


def _choose_name(run_name: str, tags: Sequence[Tag]) -> str:
    tagged = next((tag.value for tag in tags if tag.key == RUN_NAME), "")
    if run_name and tagged and run_name != tagged:
        raise InvalidValueError(
            f"Both 'run_name' argument and {RUN_NAME!r} tag are specified, but with different values"
            f" (run_name={run_name!r}, {RUN_NAME}={tagged!r})."
        )
    return run_name or tagged or generate_run_name()


def _shortened(params: Sequence[Param]) -> dict[str, str]:
    """The params by key; values longer than the limit are cut, as MLflow's server does by default."""
    found: dict[str, str] = {}
    for name, value in params:
        limits.check_key(name, "param")
        if name in found:
            raise InvalidValueError(f"Duplicate parameter keys have been submitted: [{name!r}]")
        found[name] = value[: limits.PARAM_VALUE]
    return found


def _write_tags(connection: Connection, key: int, tags: Sequence[Tag]) -> None:
    rows = [(key, *tag) for tag in _checked(tags)]
    connection.executemany(_UPSERT_TAG, rows)
    name = next((value for _, tag_key, value in reversed(rows) if tag_key == RUN_NAME), "")
    if name:
        connection.execute("UPDATE runs SET run_name = ? WHERE id = ?", (name, key))


def _checked(tags: Sequence[Tag]) -> list[tuple[str, str]]:
    """What is written of tags."""
    for tag in tags:
        limits.check_key(tag.key, "tag")
    # An empty name names no run: MLflow keeps the one that is there.
    named = [tag for tag in tags if tag.key != RUN_NAME or tag.value]
    return [(tag.key, tag.value[: limits.TAG_VALUE]) for tag in named]
