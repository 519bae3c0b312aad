"""Experiments and their tags in SQL. Each function works within the caller's transaction."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.entities import Experiment, Tag
from projrun.tracking.sql.engine import Connection, Row, insert_new, select_in, upsert

COLUMNS = "experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time"
_INSERT = insert_new("experiments", "name, artifact_location, creation_time, last_update_time")
_UPSERT_TAG = upsert("experiment_tags", "experiment_id, key", "value")


def now() -> int:
    """The time in milliseconds."""
    return int(time.time() * 1000)


def create(
    connection: Connection,
    name: str,
    artifact_location: str,
    tags: Sequence[Tag],
    default_root: str = "mlflow-artifacts:",
) -> str:
    """The new experiment's id. Raises AlreadyExistsError, also where a deleted one has the name.

    Its artifacts are at `artifact_location`, else below `default_root`.
    """
    check_name(name)
    location = _checked_location(artifact_location) if artifact_location else ""
    created = connection.execute(_INSERT, (name, location, now(), now()))
    if not created.rowcount:
        raise taken(get_by_name(connection, name), name)
    row = connection.execute("SELECT experiment_id FROM experiments WHERE name = ?", (name,)).fetchone()
    number: int = row[0]
    if not location:
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
            (f"{default_root}/{number}", number),
        )
    for tag in sorted(tags):
        _write_tag(connection, number, tag)
    return str(number)


def get(connection: Connection, experiment_id: str) -> Experiment:
    """Raises NotFoundError, InvalidValueError for an id that is not a number."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM experiments WHERE experiment_id = ?", (number_of(experiment_id),)
    ).fetchall()
    if not rows:
        raise missing(experiment_id)
    return from_rows(connection, rows)[0]


def get_active(connection: Connection, experiment_id: str) -> Experiment:
    """As `get`; raises InvalidValueError for a deleted one."""
    experiment = get(connection, experiment_id)
    _check_active(experiment_id, experiment.lifecycle_stage)
    return experiment


def active_place(connection: Connection, experiment_id: str) -> tuple[int, str]:
    """The number of an active experiment and where its artifacts are. Raises as `get_active`."""
    number = number_of(experiment_id)
    row = connection.execute(
        "SELECT artifact_location, lifecycle_stage FROM experiments WHERE experiment_id = ?", (number,)
    ).fetchone()
    if row is None:
        raise missing(experiment_id)
    _check_active(experiment_id, row[1])
    return number, row[0]


def _check_active(experiment_id: str, stage: str) -> None:
    if stage != "active":
        raise InvalidValueError(
            f"The experiment {experiment_id} must be in the 'active' state. Current state is {stage}."
        )


def get_by_name(connection: Connection, name: str) -> Experiment | None:
    """The experiment of that name, deleted ones too."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM experiments WHERE name = ?", (name,)).fetchall()
    return from_rows(connection, rows)[0] if rows else None


def set_tag(connection: Connection, experiment_id: str, tag: Tag) -> None:
    """Write one tag over what was there."""
    experiment = get_active(connection, experiment_id)
    _write_tag(connection, int(experiment.experiment_id), tag)
    connection.execute(
        "UPDATE experiments SET last_update_time = ? WHERE experiment_id = ?",
        (now(), int(experiment.experiment_id)),
    )


def from_rows(connection: Connection, rows: Sequence[Row]) -> list[Experiment]:
    """Experiments with their tags, from rows of COLUMNS."""
    tags: dict[int, list[Tag]] = {row[0]: [] for row in rows}
    for number, key, value in select_in(
        connection,
        "SELECT experiment_id, key, value FROM experiment_tags WHERE experiment_id IN ({keys}) ORDER BY 1, 2",
        tags,
    ):
        tags[number].append(Tag(key, value))
    return [Experiment(str(row[0]), *row[1:])._replace(tags=tuple(tags[row[0]])) for row in rows]


def number_of(experiment_id: str) -> int:
    """An experiment's id as the integer that the store keeps. Raises InvalidValueError, NotFoundError."""
    if not experiment_id:
        raise limits.missing("experiment_id")
    digits = experiment_id.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise InvalidValueError(
            f"Invalid experiment ID {experiment_id!r}. Experiment ID must be a valid integer."
        )
    if str(number := int(experiment_id)) != experiment_id:
        # One spelling each: what is granted on 7 would not be found for 07.
        raise missing(experiment_id)
    return number


def _write_tag(connection: Connection, number: int, tag: Tag) -> None:
    limits.check_key(tag.key, "tag")
    limits.check_length("value", tag.value, limits.EXPERIMENT_TAG_VALUE)
    connection.execute(
        _UPSERT_TAG,
        (number, tag.key, tag.value),
    )


def check_name(name: str) -> None:
    """Raises InvalidValueError for a name that no experiment may have."""
    if not name.strip():
        raise limits.missing("name")
    limits.check_length("name", name, limits.EXPERIMENT_NAME)


def taken(found: Experiment | None, name: str) -> AlreadyExistsError:
    """The error for the name of an experiment that exists."""
    if found is None:  # it was deleted for good at this moment
        return AlreadyExistsError(f"Experiment(name={name}) already exists")
    state = "" if found.lifecycle_stage == "active" else ", deleted"
    return AlreadyExistsError(
        f"Experiment(name={found.name}) already exists (id {found.experiment_id}{state})"
    )


def missing(experiment_id: str) -> NotFoundError:
    """The error for an id that no experiment has."""
    return NotFoundError(f"No Experiment with id={experiment_id} exists")


def _checked_location(location: str) -> str:
    """A URI or an absolute path as it is; another path as it is from here, as MLflow's server does."""
    if len(location) > limits.ARTIFACT_LOCATION:
        raise InvalidValueError(
            "Invalid artifact path length. The length of the artifact path cannot be greater than"
            f" {limits.ARTIFACT_LOCATION} characters."
        )
    if "#" in location:
        raise InvalidValueError("'artifact_location' URL can't include fragments or params.")
    if ".." in location.partition("?")[2]:
        raise InvalidValueError("Invalid query string")
    return location if uri_scheme(location) else str(Path(location).absolute())
