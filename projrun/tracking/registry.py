"""`ModelRegistry`: registered models, their numbered versions, aliases and tags.

    registry = part_of(store, ModelRegistry)

`SqlRegistry` and `RestRegistry` fulfil it. Errors, limits and semantics are MLflow's. A version's number is never used
twice, also after it was deleted. Prompts are registered models with the tag `mlflow.prompt.is_prompt`; searches find
them only where they ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, runtime_checkable

from projrun.errors import AlreadyExistsError, NotFoundError
from projrun.tracking.entities import (
    ModelVersion,
    ModelVersionPage,
    RegisteredModel,
    RegisteredModelPage,
    Tag,
)

IS_PROMPT = "mlflow.prompt.is_prompt"
"""The tag of a registered model that is a prompt."""


class NoAliasError(NotFoundError):
    """The model exists and has no such alias: MLflow's server answers this as an invalid value."""


@runtime_checkable
class ModelRegistry(Protocol):
    """Registered models and their numbered versions. Stages are MLflow's, which it deprecates: use aliases."""

    def create_registered_model(
        self, name: str, *, description: str = "", tags: Sequence[Tag] = ()
    ) -> RegisteredModel:
        """AlreadyExistsError for a name that is taken, by a prompt too."""
        ...

    def get_registered_model(self, name: str) -> RegisteredModel:
        """With its newest version in each stage. NotFoundError where there is none."""
        ...

    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel: ...
    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """AlreadyExistsError for a name that is taken."""
        ...

    def delete_registered_model(self, name: str) -> None:
        """With all its versions; their files stay."""
        ...

    def search_registered_models(
        self,
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> RegisteredModelPage:
        """By name where no order is given. At most 1,000 a page."""
        ...

    def set_registered_model_tag(self, name: str, tag: Tag) -> None: ...
    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Does nothing where there is no such tag."""
        ...

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """Let an alias name a version; it leaves the one that it named before."""
        ...

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Does nothing where there is no such alias."""
        ...

    def get_latest_versions(self, name: str, stages: Sequence[str] = ()) -> tuple[ModelVersion, ...]:
        """The newest version in each of these stages, or in each that has one."""
        ...

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
        """The next version. NotFoundError without the model. A server that knows its users ignores `user_id`."""
        ...

    def get_model_version(self, name: str, version: str) -> ModelVersion: ...
    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """`latest`, in any case, is the newest version. NoAliasError where the model has no such alias."""
        ...

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Where the version's files are."""
        ...

    def update_model_version(self, name: str, version: str, *, description: str) -> ModelVersion: ...
    def delete_model_version(self, name: str, version: str) -> None:
        """With its aliases; its number is not used again."""
        ...

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, *, archive_existing: bool = False
    ) -> ModelVersion:
        """`archive_existing` moves the other versions in Staging or Production to Archived."""
        ...

    def search_model_versions(
        self,
        *,
        filter_string: str = "",
        max_results: int = 10_000,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> ModelVersionPage:
        """The last changed first where no order is given. At most 200,000 a page."""
        ...

    def set_model_version_tag(self, name: str, version: str, tag: Tag) -> None: ...
    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        """Does nothing where there is no such tag."""
        ...


def copy_model_version(registry: ModelRegistry, version: ModelVersion, name: str) -> ModelVersion:
    """A new version of the model `name`, created if needed, with the files of another; as MLflow's client copies."""
    with suppress(AlreadyExistsError):
        registry.create_registered_model(name)
    return registry.create_model_version(
        name,
        source=f"models:/{version.name}/{version.version}",
        run_id=version.run_id,
        description=version.description,
        model_id=version.model_id,
        run_link=version.run_link,
        tags=version.tags,
    )
