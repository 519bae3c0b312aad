"""`SqlLoggedModels`: logged models are created, completed, searched and deleted."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.artifacts.uris import below
from projrun.tracking.entities import LoggedModel, LoggedModelPage, Param, Tag
from projrun.tracking.logged_models import DatasetChoice, ModelOrder
from projrun.tracking.sql import experiments
from projrun.tracking.sql.engine import Connection, Engine, insert, insert_new, upsert
from projrun.tracking.sql.experiments import now
from projrun.tracking.sql.models import rows
from projrun.tracking.sql.names import generate_id, generate_run_name

_STATUSES = ("LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED")
_BAD_CHARACTERS = ("/", ":", ".", "%", '"', "'")


class SqlLoggedModels:
    """The `LoggedModels` of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_logged_model(
        self,
        experiment_id: str,
        *,
        name: str = "",
        model_type: str = "",
        source_run_id: str = "",
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
        origin_id: str = "",
    ) -> LoggedModel:
        """A model that is pending until it is finalized; its id is `origin_id`, or at random, as its name may be."""
        _check_name(name)
        model_id, created = origin_id or f"m-{generate_id()}", now()
        with self._engine.writing() as connection:
            experiment = experiments.get_active(connection, experiment_id)
            uri = below(experiment.artifact_location, f"models/{model_id}/artifacts")
            information = (name or generate_run_name(), uri, created, created)
            connection.execute(
                insert("logged_models", rows.COLUMNS),
                (
                    model_id,
                    int(experiment.experiment_id),
                    *information,
                    _STATUSES[0],
                    model_type,
                    source_run_id,
                ),
            )
            _log_params(connection, model_id, params)
            _set_tags(connection, model_id, tags)
            return rows.get(connection, model_id)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Raises NotFoundError."""
        with self._engine.reading() as connection:
            return rows.get(connection, model_id, allow_deleted=allow_deleted)

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        datasets: Sequence[DatasetChoice] = (),
        max_results: int = 100,
        order_by: Sequence[ModelOrder] = (),
        page_token: str = "",
    ) -> LoggedModelPage:
        """A page of logged models, the newest first where no order is given."""
        from projrun.tracking.sql.models.search import Search, search

        wanted = Search(filter_string, datasets, max_results, order_by, page_token)
        with self._engine.reading() as connection:
            return search(connection, experiment_ids, wanted)

    def finalize_logged_model(self, model_id: str, status: str) -> LoggedModel:
        """Mark a model as ready, or its upload as failed. Raises NotFoundError, InvalidValueError."""
        if status not in _STATUSES:
            raise InvalidValueError(f"unknown status {status!r}; one of: {', '.join(_STATUSES)}")
        with self._engine.writing() as connection:
            _change(connection, model_id, "status = ?", status)
            return rows.get(connection, model_id, allow_deleted=True)

    def delete_logged_model(self, model_id: str) -> None:
        """Raises NotFoundError. One that is deleted already stays so."""
        with self._engine.writing() as connection:
            _change(connection, model_id, "lifecycle_stage = 'deleted', deleted_time = ?", now())

    def log_logged_model_params(self, model_id: str, params: Sequence[Param]) -> None:
        """Raises NotFoundError, and InvalidValueError for a param that has another value."""
        with self._engine.writing() as connection:
            _check_exists(connection, model_id)
            _log_params(connection, model_id, params)

    def set_logged_model_tags(self, model_id: str, tags: Sequence[Tag]) -> None:
        """Write tags over what was there. Raises NotFoundError."""
        with self._engine.writing() as connection:
            _check_exists(connection, model_id)
            _set_tags(connection, model_id, tags)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Raises NotFoundError where the model has no such tag."""
        with self._engine.writing() as connection:
            _check_exists(connection, model_id)
            deleted = connection.execute(
                "DELETE FROM logged_model_tags WHERE model_id = ? AND key = ?", (model_id, key)
            )
            if not deleted.rowcount:
                raise NotFoundError(f"No tag with key {key!r} found for model with ID {model_id!r}.")


def _check_exists(connection: Connection, model_id: str) -> None:
    if rows.unknown(connection, [model_id]):
        raise rows.missing(model_id)


def _change(connection: Connection, model_id: str, change: str, value: str | int) -> None:
    changed = connection.execute(
        f"UPDATE logged_models SET {change}, last_update_time = ? WHERE model_id = ?",
        (value, now(), model_id),
    )
    if not changed.rowcount:
        raise rows.missing(model_id)


def _log_params(connection: Connection, model_id: str, params: Sequence[Param]) -> None:
    given = [(param.key, param.value) for param in params]
    for key, _ in given:
        _check_key(key, "param")
    connection.executemany(
        insert_new("logged_model_params", "model_id, key, value"), [(model_id, *pair) for pair in given]
    )
    known = dict(
        connection.execute(
            "SELECT key, value FROM logged_model_params WHERE model_id = ?", (model_id,)
        ).fetchall()
    )
    for key, value in given:
        if known[key] != value:
            raise InvalidValueError(
                f"Changing param values is not allowed. Param with key='{key}' was already logged with"
                f" value='{known[key]}' for model ID='{model_id}'. Attempted logging new value '{value}'."
            )


def _set_tags(connection: Connection, model_id: str, tags: Sequence[Tag]) -> None:
    for tag in tags:
        _check_key(tag.key, "tag")
    connection.executemany(
        upsert("logged_model_tags", "model_id, key", "value"),
        [(model_id, key, value) for key, value in tags],
    )


def _check_key(key: str, what: str) -> None:
    """MLflow takes any characters here, unlike in what a run logs."""
    if len(key) > limits.KEY:
        raise InvalidValueError(
            f"the key of a {what} may have at most {limits.KEY} characters, not {len(key)}"
        )


def _check_name(name: str) -> None:
    """The characters that MLflow 3 refuses in a logged model's name: it is a part of URIs."""
    if any(character in name for character in _BAD_CHARACTERS):
        raise InvalidValueError(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the"
            f" following characters: {_BAD_CHARACTERS}"
        )
