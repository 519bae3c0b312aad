"""The model registry in SQL. Each function works within the caller's transaction."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.entities import ModelVersion, RegisteredModel, Tag
from projrun.tracking.sql import logged_models
from projrun.tracking.sql.engine import Connection, upsert
from projrun.tracking.sql.experiments import now

_VERSION_COLUMNS = (
    "name, version, creation_time, last_update_time, source, run_id, status, description, model_id, run_link,"
    " current_stage"
)


def create(connection: Connection, name: str, description: str, tags: Sequence[Tag]) -> RegisteredModel:
    """Raises AlreadyExistsError."""
    _check_name(name)
    if connection.execute("SELECT 1 FROM registered_models WHERE name = ?", (name,)).fetchone():
        raise AlreadyExistsError(f"a registered model named {name!r} exists")
    connection.execute(
        "INSERT INTO registered_models (name, description, creation_time, last_update_time)"
        " VALUES (?, ?, ?, ?)",
        (name, description, now(), now()),
    )
    for tag in tags:
        limits.check_key(tag.key, "tag")
        connection.execute(upsert("registered_model_tags", "name, key", "value"), (name, *tag))
    return get(connection, name)


def get(connection: Connection, name: str) -> RegisteredModel:
    """With its newest version. Raises NotFoundError."""
    row = connection.execute(
        "SELECT name, creation_time, last_update_time, description FROM registered_models WHERE name = ?",
        (name,),
    ).fetchone()
    if row is None:
        raise NotFoundError(f"no registered model named {name!r}")
    tags = connection.execute(
        "SELECT key, value FROM registered_model_tags WHERE name = ? ORDER BY key", (name,)
    ).fetchall()
    newest = _newest(connection, name)
    versions = (get_version(connection, name, str(newest)),) if newest else ()
    return RegisteredModel(*row)._replace(tags=tuple(Tag(*tag) for tag in tags), latest_versions=versions)


def create_version(
    connection: Connection,
    name: str,
    *,
    source: str,
    run_id: str,
    description: str,
    model_id: str,
    run_link: str,
    tags: Sequence[Tag],
) -> ModelVersion:
    """The next version of a registered model; a logged model's run is the version's. Raises NotFoundError."""
    get(connection, name)
    if not source:
        raise InvalidValueError("a model version needs a source")
    if model_id and not run_id:
        run_id = logged_models.get(connection, model_id).source_run_id
    version = _newest(connection, name) + 1
    time = now()
    connection.execute(
        f"INSERT INTO model_versions ({_VERSION_COLUMNS}) VALUES"
        " (?, ?, ?, ?, ?, ?, 'READY', ?, ?, ?, 'None')",
        (name, version, time, time, source, run_id, description, model_id, run_link),
    )
    connection.execute("UPDATE registered_models SET last_update_time = ? WHERE name = ?", (time, name))
    for tag in tags:
        limits.check_key(tag.key, "tag")
        connection.execute(upsert("model_version_tags", "name, version, key", "value"), (name, version, *tag))
    return get_version(connection, name, str(version))


def get_version(connection: Connection, name: str, version: str) -> ModelVersion:
    """Raises NotFoundError, InvalidValueError for a version that is not a number."""
    if not (version.isascii() and version.isdigit() and len(version) <= 18):
        raise InvalidValueError(f"invalid version {version!r} of a model: it is a number")
    row = connection.execute(
        f"SELECT {_VERSION_COLUMNS} FROM model_versions WHERE name = ? AND version = ?", (name, int(version))
    ).fetchone()
    if row is None:
        raise NotFoundError(f"no version {version} of a registered model named {name!r}")
    tags = connection.execute(
        "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ? ORDER BY key",
        (name, int(version)),
    ).fetchall()
    return ModelVersion(row[0], str(row[1]), *row[2:])._replace(tags=tuple(Tag(*tag) for tag in tags))


def download_uri(connection: Connection, name: str, version: str) -> str:
    """Where the files of a version are: its source, or where the logged model that it names keeps them."""
    found = get_version(connection, name, version)
    if not found.source.startswith("models:/m-"):
        return found.source
    return logged_models.get(connection, found.source.removeprefix("models:/")).artifact_uri


def _newest(connection: Connection, name: str) -> int:
    newest = connection.execute("SELECT max(version) FROM model_versions WHERE name = ?", (name,)).fetchone()
    return newest[0] or 0


def _check_name(name: str) -> None:
    """`/` and `:` are parts of `models:/name/version`, and MLflow refuses them too."""
    if not name.strip() or "/" in name or ":" in name:
        raise InvalidValueError(f"invalid name of a registered model {name!r}: not empty, without / and :")
