"""Registered models in SQL. Each function works within the caller's transaction.

Models and versions have keys of their own, so that a new name is one row. Whoever writes below a model holds that
model's row first (`key_for_writing`), so that two writers follow each other also where the database lets both in.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import AlreadyExistsError, NotFoundError
from projrun.tracking import registry_rules
from projrun.tracking.entities import ModelAlias, ModelVersion, RegisteredModel, Tag
from projrun.tracking.registry import IS_PROMPT
from projrun.tracking.sql.engine import Connection, Row, insert_new, select_in, upsert
from projrun.tracking.sql.experiments import now
from projrun.tracking.sql.registry import versions

COLUMNS = "id, name, creation_time, last_update_time, description"
_NEW_MODEL = insert_new("registry_models", "name, description, creation_time, last_update_time, last_version")


def create(connection: Connection, name: str, description: str, tags: Sequence[Tag]) -> RegisteredModel:
    """Raises AlreadyExistsError."""
    registry_rules.check_name(name)
    registry_rules.check_tags(tags)
    time = now()
    made = connection.execute(_NEW_MODEL, (name, description, time, time, 0))
    if made.rowcount != 1:
        raise _taken(connection, name, any(tag.key == IS_PROMPT for tag in tags))
    key = key_of(connection, name)
    connection.executemany(
        upsert("registry_model_tags", "model, key", "value"), [(key, *tag) for tag in tags]
    )
    return get(connection, name)


def get(connection: Connection, name: str) -> RegisteredModel:
    """Raises NotFoundError."""
    registry_rules.check_name(name)
    rows = connection.execute(f"SELECT {COLUMNS} FROM registry_models WHERE name = ?", (name,)).fetchall()
    if not rows:
        raise _unknown(name)
    return from_rows(connection, rows)[0]


def from_rows(connection: Connection, rows: Sequence[Row]) -> list[RegisteredModel]:
    """The models of rows of COLUMNS, in their order, with tags, aliases and the newest version of each stage."""
    tags: dict[int, list[Tag]] = {row[0]: [] for row in rows}
    aliases: dict[int, list[ModelAlias]] = {row[0]: [] for row in rows}
    newest: dict[int, list[ModelVersion]] = {row[0]: [] for row in rows}
    statement = "SELECT model, key, value FROM registry_model_tags WHERE model IN ({keys}) ORDER BY 1, 2"
    for model, *tag in select_in(connection, statement, tags):
        tags[model].append(Tag(*tag))
    statement = (
        "SELECT registry_aliases.model, alias, registry_versions.version FROM registry_aliases"
        " JOIN registry_versions ON registry_versions.id = registry_aliases.version"
        " WHERE registry_aliases.model IN ({keys}) ORDER BY 1, 2"
    )
    for model, alias, version in select_in(connection, statement, aliases):
        aliases[model].append(ModelAlias(alias, str(version)))
    for model, version in versions.newest_of_stages(connection, newest):
        newest[model].append(version)
    return [
        RegisteredModel(*row[1:])._replace(
            tags=tuple(tags[row[0]]), aliases=tuple(aliases[row[0]]), latest_versions=tuple(newest[row[0]])
        )
        for row in rows
    ]


def update(connection: Connection, name: str, description: str) -> RegisteredModel:
    """Raises NotFoundError."""
    key = key_for_writing(connection, name)
    connection.execute(
        "UPDATE registry_models SET description = ?, last_update_time = ? WHERE id = ?",
        (description, now(), key),
    )
    return get(connection, name)


def rename(connection: Connection, name: str, new_name: str) -> RegisteredModel:
    """Raises NotFoundError, AlreadyExistsError."""
    registry_rules.check_name(new_name, "new_name")
    key = key_for_writing(connection, name)
    if new_name != name:
        _reserve(connection, new_name)
    time = now()
    connection.execute(
        "UPDATE registry_models SET name = ?, last_update_time = ? WHERE id = ?", (new_name, time, key)
    )
    connection.execute("UPDATE registry_versions SET last_update_time = ? WHERE model = ?", (time, key))
    return get(connection, new_name)


def delete(connection: Connection, name: str) -> None:
    """With its versions. Raises NotFoundError."""
    key = key_for_writing(connection, name)
    connection.execute("DELETE FROM registry_aliases WHERE model = ?", (key,))
    connection.execute(
        "DELETE FROM registry_version_tags WHERE version IN (SELECT id FROM registry_versions WHERE model = ?)",
        (key,),
    )
    for table in ("registry_versions", "registry_model_tags"):
        connection.execute(f"DELETE FROM {table} WHERE model = ?", (key,))
    connection.execute("DELETE FROM registry_models WHERE id = ?", (key,))


def set_tag(connection: Connection, name: str, tag: Tag) -> None:
    """Raises NotFoundError."""
    registry_rules.check_tags((tag,))
    key = key_for_writing(connection, name)
    connection.execute(upsert("registry_model_tags", "model, key", "value"), (key, *tag))


def delete_tag(connection: Connection, name: str, key: str) -> None:
    """Raises NotFoundError for the model; a tag that is not there is gone already."""
    registry_rules.check_tags((Tag(key, ""),))
    model = key_for_writing(connection, name)
    connection.execute("DELETE FROM registry_model_tags WHERE model = ? AND key = ?", (model, key))


def set_alias(connection: Connection, name: str, alias: str, version: str) -> None:
    """Raises NotFoundError."""
    registry_rules.check_name(name)
    registry_rules.check_new_alias(alias)
    registry_rules.version_number(version)
    key = hold(connection, name)
    named = versions.key_of(connection, name, version)
    connection.execute(upsert("registry_aliases", "model, alias", "version"), (key, alias, named))


def delete_alias(connection: Connection, name: str, alias: str) -> None:
    """Raises NotFoundError for the model; an alias that is not there is gone already."""
    registry_rules.check_alias(alias)
    key = key_for_writing(connection, name)
    connection.execute("DELETE FROM registry_aliases WHERE model = ? AND alias = ?", (key, alias))


def key_of(connection: Connection, name: str) -> int:
    """The model's key. Raises NotFoundError."""
    registry_rules.check_name(name)
    row = connection.execute("SELECT id FROM registry_models WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise _unknown(name)
    return int(row[0])


def key_for_writing(connection: Connection, name: str) -> int:
    """The model's key, its row held until the end of the transaction. Raises NotFoundError."""
    registry_rules.check_name(name)
    key = hold(connection, name)
    if key is None:
        raise _unknown(name)
    return key


def hold(connection: Connection, name: str) -> int | None:
    """Hold the row of a model until the end of the transaction; its key, or None where there is none."""
    statement = f"SELECT id FROM registry_models WHERE name = ?{connection.dialect.lock}"
    row = connection.execute(statement, (name,)).fetchone()
    return None if row is None else int(row[0])


def _reserve(connection: Connection, name: str) -> None:
    """Make sure that no other transaction takes a name: only a row that is written does. Raises AlreadyExistsError."""
    made = connection.execute(_NEW_MODEL, (name, "", 0, 0, 0))
    if made.rowcount != 1:
        raise AlreadyExistsError(f"Registered Model (name={name}) already exists.")
    connection.execute("DELETE FROM registry_models WHERE name = ?", (name,))


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"Registered Model with name={name} not found")


def _taken(connection: Connection, name: str, prompt: bool) -> AlreadyExistsError:
    """MLflow's words for a name that is taken, which say where a model and a prompt would be mixed."""
    is_prompt = any(tag.key == IS_PROMPT for tag in get(connection, name).tags)
    old, new = ("Prompt" if each else "Registered Model" for each in (is_prompt, prompt))
    if old == new:
        return AlreadyExistsError(f"{new} (name={name}) already exists.")
    return AlreadyExistsError(
        f"Tried to create a {new.lower()} with name {name!r}, but the name is already taken by a {old.lower()}. "
        "MLflow does not allow creating a model and a prompt with the same name."
    )
