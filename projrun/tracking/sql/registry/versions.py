"""Versions of registered models in SQL. Each function works within the caller's transaction.

They are read through the view `model_versions`, which has the model's name beside each. A deleted version's row is
gone; its number stays used, because the model counts what it gave out.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking import registry_rules
from projrun.tracking.entities import ModelVersion, Tag
from projrun.tracking.sql.engine import Connection, Row, insert, select_in, upsert
from projrun.tracking.sql.experiments import now

COLUMNS = (
    "id, name, version, creation_time, last_update_time, source, run_id, status, description, model_id, run_link,"
    " current_stage, user_id"
)


def create(connection: Connection, model: int, version: ModelVersion, storage_location: str) -> ModelVersion:
    """The next version of the model with the key `model`, whose row is held; its number and times are made here."""
    if not version.source:
        raise InvalidValueError("Missing value for required parameter 'source'.")
    registry_rules.check_tags(version.tags)
    time = now()
    connection.execute(
        "UPDATE registry_models SET last_version = last_version + 1, last_update_time = ? WHERE id = ?",
        (time, model),
    )
    (number,) = connection.execute(
        "SELECT last_version FROM registry_models WHERE id = ?", (model,)
    ).fetchone()
    row = {
        "model": model,
        "version": number,
        "creation_time": time,
        "last_update_time": time,
        "source": version.source,
        "storage_location": storage_location,
        "run_id": version.run_id,
        "status": version.status,
        "description": version.description,
        "model_id": version.model_id,
        "run_link": version.run_link,
        "current_stage": version.current_stage,
        "user_id": version.user_id,
    }
    connection.execute(insert("registry_versions", ", ".join(row)), tuple(row.values()))
    key = key_of(connection, version.name, str(number))
    connection.executemany(
        upsert("registry_version_tags", "version, key", "value"), [(key, *tag) for tag in version.tags]
    )
    return get(connection, version.name, str(number))


def get(connection: Connection, name: str, version: str) -> ModelVersion:
    """Raises NotFoundError, InvalidValueError for a version that is not a number."""
    key = key_of(connection, name, version)
    return _of_keys(connection, [key])[0]


def get_by_alias(connection: Connection, model: int, alias: str) -> ModelVersion | None:
    """The version of a model that an alias names."""
    row = connection.execute(
        "SELECT version FROM registry_aliases WHERE model = ? AND alias = ?", (model, alias)
    ).fetchone()
    return None if row is None else _of_keys(connection, [row[0]])[0]


def download_uri(connection: Connection, name: str, version: str) -> str:
    """Where the files of a version are. Raises NotFoundError."""
    key = key_of(connection, name, version)
    row = connection.execute("SELECT storage_location FROM registry_versions WHERE id = ?", (key,)).fetchone()
    return str(row[0])


def key_of(connection: Connection, name: str, version: str) -> int:
    """The version's key. Raises NotFoundError, InvalidValueError."""
    registry_rules.check_name(name)
    number = registry_rules.version_number(version)
    row = connection.execute(
        "SELECT id FROM model_versions WHERE name = ? AND version = ?", (name, number)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"Model Version (name={name}, version={version}) not found")
    return int(row[0])


def newest_of_stages(connection: Connection, models: Iterable[int]) -> Iterator[tuple[int, ModelVersion]]:
    """For models by their keys, the newest version of each stage, with the model's key."""
    statement = (
        f"SELECT model, {COLUMNS} FROM model_versions WHERE (model, version) IN"
        " (SELECT model, max(version) FROM registry_versions WHERE model IN ({keys})"
        " GROUP BY model, current_stage) ORDER BY model, version"
    )
    rows = list(select_in(connection, statement, models))
    yield from zip((row[0] for row in rows), from_rows(connection, [row[1:] for row in rows]), strict=True)


def update(connection: Connection, name: str, version: str, changes: str, *values: object) -> ModelVersion:
    """Write `changes` (`column = ?`) and the time. Raises NotFoundError."""
    key = key_of(connection, name, version)
    connection.execute(
        f"UPDATE registry_versions SET {changes}, last_update_time = ? WHERE id = ?", (*values, now(), key)
    )
    return get(connection, name, version)


def transition(
    connection: Connection, name: str, version: str, stage: str, archive_existing: bool
) -> ModelVersion:
    """Move a version to a stage, and with `archive_existing` those that are there to Archived. The model is held."""
    canonical = registry_rules.canonical_stage(stage)
    if archive_existing and canonical not in registry_rules.ACTIVE_STAGES:
        raise InvalidValueError(
            "Model version transition cannot archive existing model versions because "
            f"'{stage}' is not an Active stage. Valid stages are {list(registry_rules.ACTIVE_STAGES)}"
        )
    key = key_of(connection, name, version)
    (model,) = connection.execute("SELECT model FROM registry_versions WHERE id = ?", (key,)).fetchone()
    time = now()
    if archive_existing:
        connection.execute(
            "UPDATE registry_versions SET current_stage = 'Archived', last_update_time = ?"
            " WHERE model = ? AND current_stage = ? AND id != ?",
            (time, model, canonical, key),
        )
    connection.execute("UPDATE registry_models SET last_update_time = ? WHERE id = ?", (time, model))
    return update(connection, name, version, "current_stage = ?", canonical)


def delete(connection: Connection, name: str, version: str) -> None:
    """With its aliases and tags. The model is held. Raises NotFoundError."""
    key = key_of(connection, name, version)
    for table in ("registry_aliases", "registry_version_tags"):
        connection.execute(f"DELETE FROM {table} WHERE version = ?", (key,))
    connection.execute("DELETE FROM registry_versions WHERE id = ?", (key,))
    connection.execute("UPDATE registry_models SET last_update_time = ? WHERE name = ?", (now(), name))


def set_tag(connection: Connection, name: str, version: str, tag: Tag) -> None:
    """Raises NotFoundError."""
    registry_rules.check_tags((tag,))
    key = key_of(connection, name, version)
    connection.execute(upsert("registry_version_tags", "version, key", "value"), (key, *tag))


def delete_tag(connection: Connection, name: str, version: str, key: str) -> None:
    """Raises NotFoundError for the version; a tag that is not there is gone already."""
    registry_rules.check_tags((Tag(key, ""),))
    owner = key_of(connection, name, version)
    connection.execute("DELETE FROM registry_version_tags WHERE version = ? AND key = ?", (owner, key))


def from_rows(connection: Connection, rows: Sequence[Row]) -> list[ModelVersion]:
    """The versions of rows of COLUMNS, in their order, with tags and aliases."""
    tags: dict[int, list[Tag]] = {row[0]: [] for row in rows}
    aliases: dict[int, list[str]] = {row[0]: [] for row in rows}
    statement = (
        "SELECT version, key, value FROM registry_version_tags WHERE version IN ({keys}) ORDER BY 1, 2"
    )
    for key, *tag in select_in(connection, statement, tags):
        tags[key].append(Tag(*tag))
    statement = "SELECT version, alias FROM registry_aliases WHERE version IN ({keys}) ORDER BY 1, 2"
    for key, alias in select_in(connection, statement, aliases):
        aliases[key].append(alias)
    return [
        ModelVersion(row[1], str(row[2]), *row[3:12])._replace(
            user_id=row[12], tags=tuple(tags[row[0]]), aliases=tuple(aliases[row[0]])
        )
        for row in rows
    ]


def _of_keys(connection: Connection, keys: Sequence[int]) -> list[ModelVersion]:
    statement = f"SELECT {COLUMNS} FROM model_versions WHERE id IN ({{keys}})"
    return from_rows(connection, list(select_in(connection, statement, keys)))
