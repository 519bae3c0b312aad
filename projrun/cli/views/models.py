"""Registered models and versions, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from projrun.cli.rendering import print_facts, print_json, print_text, time_text
from projrun.cli.tables import Layout, Table, id_cell, print_table, time_cell
from projrun.tracking.entities import ModelVersion, ModelVersionPage, RegisteredModel, RegisteredModelPage

_MODELS = Table(
    "registered models",
    ("NAME", "LATEST", "ALIASES", "UPDATED", "DESCRIPTION"),
    hiding=("DESCRIPTION", "UPDATED"),
    cutting=("NAME", "ALIASES", "DESCRIPTION"),
    keyed={"aliases": "ALIASES"},
)
_MAKING = "; `projrun models register runs:/latest/model NAME` makes one of what the last run logged"
_VERSIONS = Table(
    "versions",
    ("VERSION", "ALIASES", "STAGE", "RUN", "CREATED", "SOURCE"),
    hiding=("SOURCE", "STAGE", "CREATED", "RUN"),
    cutting=("NAME", "SOURCE", "ALIASES"),
)
_VERSIONS_OF_MODELS = _VERSIONS._replace(columns=("NAME", *_VERSIONS.columns))


def print_models(page: RegisteredModelPage, layout: Layout, *, as_json: bool, filtered: bool = False) -> None:
    """One row a model."""
    if as_json:
        documents = [_model_document(each) for each in page.models]
        print_json({"models": documents, "next_page_token": page.next_page_token or None})
        return
    rows = [
        (
            each.name,
            max((version.version for version in each.latest_versions), key=int, default=""),
            {alias.alias: alias.version for alias in each.aliases},
            time_cell(each.last_update_time or None),
            each.description,
        )
        for each in page.models
    ]
    table = _MODELS if filtered else _MODELS._replace(things=f"registered models{_MAKING}")
    print_table(table, rows, layout)
    _print_rest(page.next_page_token, len(rows))


def print_versions(page: ModelVersionPage, layout: Layout, *, as_json: bool) -> None:
    """One row a version."""
    if as_json:
        documents = [_version_document(each) for each in page.versions]
        print_json({"versions": documents, "next_page_token": page.next_page_token or None})
        return
    _print_table(page.versions, _VERSIONS_OF_MODELS, layout)
    _print_rest(page.next_page_token, len(page.versions))


def print_model_json(model: RegisteredModel) -> None:
    """A model without its versions, for programs."""
    print_json(_model_document(model))


def print_model(model: RegisteredModel, page: ModelVersionPage, *, as_json: bool) -> None:
    """All of a model, and its versions."""
    if as_json:
        print_json(
            {**_model_document(model), "versions": [_version_document(each) for each in page.versions]}
        )
        return
    print_facts(
        [
            ("model", model.name),
            ("created", time_text(model.creation_time or None)),
            ("updated", time_text(model.last_update_time or None)),
            ("aliases", ", ".join(f"{alias.alias}={alias.version}" for alias in model.aliases)),
            *((f"tag {tag.key}", tag.value) for tag in model.tags),
            ("description", model.description),
        ]
    )
    if page.versions:
        print_text("")
        _print_table(page.versions, _VERSIONS)
        _print_rest(page.next_page_token, len(page.versions))


def print_version(version: ModelVersion, *, as_json: bool, files: Mapping[str, object] | None = None) -> None:
    """All of a version; `files` is what the MLmodel file says, where it was looked at."""
    if as_json:
        print_json({**_version_document(version), **({} if files is None else {"files": files})})
        return
    print_facts(
        [
            ("version", f"{version.name}/{version.version}"),
            ("aliases", ", ".join(version.aliases)),
            ("stage", "" if version.current_stage == "None" else version.current_stage),
            ("status", version.status),
            ("source", version.source),
            ("run", version.run_id),
            ("by", version.user_id),
            ("created", time_text(version.creation_time or None)),
            ("updated", time_text(version.last_update_time or None)),
            *((f"tag {tag.key}", tag.value) for tag in version.tags),
            ("description", version.description),
        ]
    )


def _print_table(versions: Sequence[ModelVersion], table: Table, layout: Layout | None = None) -> None:
    rows = [
        (
            version.name,
            version.version,
            list(version.aliases),
            "" if version.current_stage == "None" else version.current_stage,
            id_cell(version.run_id),
            time_cell(version.creation_time or None),
            version.source,
        )[-len(table.columns) :]
        for version in versions
    ]
    print_table(table, rows, layout)


def _print_rest(token: str, count: int) -> None:
    if token:
        print_text(f"the first {count}; more with --limit", err=True)


def _model_document(model: RegisteredModel) -> dict[str, object]:
    """The keys of `--json`; a contract test pins them."""
    return {
        "name": model.name,
        "description": model.description,
        "creation_time": model.creation_time,
        "last_update_time": model.last_update_time,
        "aliases": {alias.alias: alias.version for alias in model.aliases},
        "tags": {tag.key: tag.value for tag in model.tags},
        "latest_versions": [version.version for version in model.latest_versions],
    }


def _version_document(version: ModelVersion) -> dict[str, object]:
    return {
        "name": version.name,
        "version": version.version,
        "aliases": list(version.aliases),
        "stage": version.current_stage,
        "status": version.status,
        "source": version.source,
        "run_id": version.run_id or None,
        "model_id": version.model_id or None,
        "user_id": version.user_id or None,
        "description": version.description,
        "creation_time": version.creation_time,
        "last_update_time": version.last_update_time,
        "tags": {tag.key: tag.value for tag in version.tags},
    }
