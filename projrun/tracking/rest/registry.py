"""`RestRegistry`: the `ModelRegistry` of a tracking server, over MLflow's REST API."""

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.entities import (
    ModelVersion,
    ModelVersionPage,
    RegisteredModel,
    RegisteredModelPage,
    Tag,
)
from projrun.tracking.registry import NoAliasError
from projrun.tracking.rest import registry_wire, wire
from projrun.tracking.rest.transport import API, Transport

_MODELS = f"{API}registered-models/"
_VERSIONS = f"{API}model-versions/"


class RestRegistry:
    """A `ModelRegistry`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    # registered models

    def create_registered_model(
        self, name: str, *, description: str = "", tags: Sequence[Tag] = ()
    ) -> RegisteredModel:
        """AlreadyExistsError for a name that is taken."""
        body = {"name": name, "description": description, "tags": wire.pairs(list(tags))}
        return self._transport.post(
            f"{_MODELS}create", body, registry_wire.registered_model_answer, idempotent=False
        )

    def get_registered_model(self, name: str) -> RegisteredModel:
        """NotFoundError where there is none."""
        return self._transport.get(f"{_MODELS}get", [("name", name)], registry_wire.registered_model_answer)

    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        """NotFoundError where there is none."""
        body = {"name": name, "description": description}
        return self._transport.post(
            f"{_MODELS}update", body, registry_wire.registered_model_answer, method="PATCH"
        )

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """NotFoundError, AlreadyExistsError."""
        body = {"name": name, "new_name": new_name}
        return self._transport.post(
            f"{_MODELS}rename", body, registry_wire.registered_model_answer, idempotent=False
        )

    def delete_registered_model(self, name: str) -> None:
        """NotFoundError where there is none."""
        self._send("DELETE", f"{_MODELS}delete", name=name)

    def search_registered_models(
        self,
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> RegisteredModelPage:
        """By name where no order is given."""
        query = _search_query(filter_string, max_results, order_by, page_token)
        return self._transport.get(f"{_MODELS}search", query, registry_wire.registered_models_answer)

    def set_registered_model_tag(self, name: str, tag: Tag) -> None:
        """NotFoundError where there is no such model."""
        self._send("POST", f"{_MODELS}set-tag", name=name, key=tag.key, value=tag.value)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """NotFoundError where there is no such model."""
        self._send("DELETE", f"{_MODELS}delete-tag", name=name, key=key)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """NotFoundError where there is no such version."""
        self._send("POST", f"{_MODELS}alias", name=name, alias=alias, version=version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """NotFoundError where there is no such model."""
        self._send("DELETE", f"{_MODELS}alias", name=name, alias=alias)

    def get_latest_versions(self, name: str, stages: Sequence[str] = ()) -> tuple[ModelVersion, ...]:
        """The newest version in each of these stages, or in each that has one."""
        body: dict[str, object] = {"name": name, "stages": list(stages)}
        path = f"{_MODELS}get-latest-versions"
        return self._transport.post(path, body, registry_wire.model_versions_answer).versions

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
        """The next version of a registered model; NotFoundError without the model."""
        body: dict[str, object] = {"name": name, "source": source, "tags": wire.pairs(list(tags))}
        given = (
            ("run_id", run_id),
            ("description", description),
            ("model_id", model_id),
            ("run_link", run_link),
        )
        body |= {key: value for key, value in given if value}
        return self._transport.post(
            f"{_VERSIONS}create", body, registry_wire.model_version_answer, idempotent=False
        )

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        """NotFoundError where there is none."""
        query = [("name", name), ("version", version)]
        return self._transport.get(f"{_VERSIONS}get", query, registry_wire.model_version_answer)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """NotFoundError where there is none."""
        query = [("name", name), ("alias", alias)]
        try:
            return self._transport.get(f"{_MODELS}alias", query, registry_wire.model_version_answer)
        except InvalidValueError as error:
            if "not found" not in error.message:
                raise
            # MLflow's answer for an alias that the model does not have.
            raise NoAliasError(error.message, hint=error.hint) from None

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Where a version's files are: what the registry says, else the version's source."""
        query = [("name", name), ("version", version)]
        try:
            return self._transport.get(
                f"{_VERSIONS}get-download-uri", query, registry_wire.artifact_uri_answer
            )
        except NotFoundError:
            return self.get_model_version(name, version).source

    def update_model_version(self, name: str, version: str, *, description: str) -> ModelVersion:
        """NotFoundError where there is none."""
        body = {"name": name, "version": version, "description": description}
        return self._transport.post(
            f"{_VERSIONS}update", body, registry_wire.model_version_answer, method="PATCH"
        )

    def delete_model_version(self, name: str, version: str) -> None:
        """NotFoundError where there is none."""
        self._send("DELETE", f"{_VERSIONS}delete", name=name, version=version)

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, *, archive_existing: bool = False
    ) -> ModelVersion:
        """NotFoundError where there is none."""
        body: dict[str, object] = {"name": name, "version": version, "stage": stage}
        body["archive_existing_versions"] = archive_existing
        return self._transport.post(f"{_VERSIONS}transition-stage", body, registry_wire.model_version_answer)

    def search_model_versions(
        self,
        *,
        filter_string: str = "",
        max_results: int = 10_000,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> ModelVersionPage:
        """The last changed first where no order is given."""
        query = _search_query(filter_string, max_results, order_by, page_token)
        return self._transport.get(f"{_VERSIONS}search", query, registry_wire.model_versions_answer)

    def set_model_version_tag(self, name: str, version: str, tag: Tag) -> None:
        """NotFoundError where there is no such version."""
        self._send("POST", f"{_VERSIONS}set-tag", name=name, version=version, key=tag.key, value=tag.value)

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        """NotFoundError where there is no such version."""
        self._send("DELETE", f"{_VERSIONS}delete-tag", name=name, version=version, key=key)

    def _send(self, method: str, path: str, **body: str) -> None:
        self._transport.post(path, body, wire.nothing, method=method)


def _search_query(
    filter_string: str, max_results: int, order_by: Sequence[str], page_token: str
) -> list[tuple[str, str]]:
    query = [("max_results", str(max_results))]
    query += [("filter", filter_string)] if filter_string else []
    query += [("order_by", text) for text in order_by]
    return query + ([("page_token", page_token)] if page_token else [])
