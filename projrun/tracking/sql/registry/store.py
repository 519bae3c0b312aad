"""`SqlRegistry`: the `ModelRegistry` of a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from projrun.errors import NotFoundError
from projrun.tracking import registry_rules
from projrun.tracking.entities import (
    LoggedModel,
    ModelVersion,
    ModelVersionPage,
    RegisteredModel,
    RegisteredModelPage,
    Tag,
)
from projrun.tracking.registry import NoAliasError
from projrun.tracking.sql.engine import Connection, Engine
from projrun.tracking.sql.models import rows as logged_models
from projrun.tracking.sql.registry import models, search, versions
from projrun.tracking.sql.search import Search

FindModel = Callable[[str], LoggedModel]
_MODEL = "models:/"


class SqlRegistry:
    """A `ModelRegistry`. Used by one thread at a time, like its engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.find_model: FindModel | None = None
        """Gives a logged model by its id where another store has those; else they are in this one."""

    # registered models

    def create_registered_model(
        self, name: str, *, description: str = "", tags: Sequence[Tag] = ()
    ) -> RegisteredModel:
        """Raises AlreadyExistsError."""
        with self._engine.writing() as connection:
            return models.create(connection, name, description, tags)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Raises NotFoundError."""
        with self._engine.reading() as connection:
            return models.get(connection, name)

    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            return models.update(connection, name, description)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Raises NotFoundError, AlreadyExistsError."""
        with self._engine.writing() as connection:
            return models.rename(connection, name, new_name)

    def delete_registered_model(self, name: str) -> None:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            models.delete(connection, name)

    def search_registered_models(
        self,
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> RegisteredModelPage:
        """By name where no order is given."""
        with self._engine.reading() as connection:
            return search.registered_models(
                connection, Search(filter_string, max_results, order_by, page_token)
            )

    def set_registered_model_tag(self, name: str, tag: Tag) -> None:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            models.set_tag(connection, name, tag)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Raises NotFoundError for the model."""
        with self._engine.writing() as connection:
            models.delete_tag(connection, name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            models.set_alias(connection, name, alias, version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Raises NotFoundError for the model."""
        with self._engine.writing() as connection:
            models.delete_alias(connection, name, alias)

    def get_latest_versions(self, name: str, stages: Sequence[str] = ()) -> tuple[ModelVersion, ...]:
        """The newest version in each of these stages, or in each that has one."""
        found = self.get_registered_model(name).latest_versions
        wanted = {registry_rules.canonical_stage(stage) for stage in stages}
        return tuple(version for version in found if not wanted or version.current_stage in wanted)

    # versions

    def create_model_version(
        self,
        name: str,
        *,
        source: str,
        run_id: str = "",
        description: str = "",
        model_id: str = "",
        run_link: str = "",
        tags: Sequence[Tag] = (),
        user_id: str = "",
    ) -> ModelVersion:
        """The next version; a logged model's run is the version's. Raises NotFoundError."""
        registry_rules.check_name(name)
        given = ModelVersion(name, "", 0, 0, source, run_id, "READY", description, model_id, run_link)
        given = given._replace(tags=tuple(tags), user_id=user_id)
        with self._engine.writing() as connection:
            key = models.key_for_writing(connection, name)
            place, owner = self._origin(connection, source, model_id)
            return versions.create(connection, key, given._replace(run_id=run_id or owner), place)

    def _origin(self, connection: Connection, source: str, model_id: str) -> tuple[str, str]:
        """Where the files of a source are, and the run that logged the model, if it is known."""
        first, slash, number = source.removeprefix(_MODEL).partition("/")
        if source.startswith(_MODEL) and slash:
            return versions.download_uri(connection, first, number), ""
        if source.startswith(_MODEL):
            model = self._model(connection, first)
            return model.artifact_uri, model.source_run_id
        return source, self._model(connection, model_id).source_run_id if model_id else ""

    def _model(self, connection: Connection, model_id: str) -> LoggedModel:
        return self.find_model(model_id) if self.find_model else logged_models.get(connection, model_id)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        """Raises NotFoundError."""
        with self._engine.reading() as connection:
            return versions.get(connection, name, version)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """`latest`, in any case, is the newest version. Raises NotFoundError, NoAliasError."""
        registry_rules.check_alias(alias)
        if alias.lower() == registry_rules.LATEST:
            newest = self.get_latest_versions(name)
            if not newest:
                raise NotFoundError(f"Latest version not found for model {name}.")
            return newest[-1]
        with self._engine.reading() as connection:
            found = versions.get_by_alias(connection, models.key_of(connection, name), alias)
        if found is None:
            raise NoAliasError(f"Registered model alias {alias} not found.")
        return found

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Where the version's files are. Raises NotFoundError."""
        with self._engine.reading() as connection:
            return versions.download_uri(connection, name, version)

    def update_model_version(self, name: str, version: str, *, description: str) -> ModelVersion:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            return versions.update(connection, name, version, "description = ?", description)

    def delete_model_version(self, name: str, version: str) -> None:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            models.hold(connection, name)
            versions.delete(connection, name, version)

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, *, archive_existing: bool = False
    ) -> ModelVersion:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            models.hold(connection, name)
            return versions.transition(connection, name, version, stage, archive_existing)

    def search_model_versions(
        self,
        *,
        filter_string: str = "",
        max_results: int = 10_000,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> ModelVersionPage:
        """The last changed first where no order is given."""
        with self._engine.reading() as connection:
            return search.model_versions(connection, Search(filter_string, max_results, order_by, page_token))

    def set_model_version_tag(self, name: str, version: str, tag: Tag) -> None:
        """Raises NotFoundError."""
        with self._engine.writing() as connection:
            models.hold(connection, name)
            versions.set_tag(connection, name, version, tag)

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        """Raises NotFoundError for the version."""
        with self._engine.writing() as connection:
            versions.delete_tag(connection, name, version, key)
