"""What a shell offers after Tab for the name of a model: names, versions after a slash, aliases after an `@`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import click

from projrun.cli.records.model_names import versions_of
from projrun.directories import Directories
from projrun.errors import ProjrunError
from projrun.running.plan import tracking_target
from projrun.settings import Settings
from projrun.tracking.open import open_store
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_open import opened_registry
from projrun.tracking.runs import Deadline

_PATIENCE = 2.0
"""Seconds: who presses Tab waits for no server that is away."""
_MOST = 1000


def complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of models."""
    return _offered(ctx, incomplete, _names)


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """NAME, NAME/VERSION or NAME@ALIAS."""
    if "/" in incomplete:
        return _offered(ctx, incomplete, lambda registry: _versions(registry, incomplete.partition("/")[0]))
    if "@" in incomplete:
        return _offered(ctx, incomplete, lambda registry: _aliases(registry, incomplete.rpartition("@")[0]))
    return _offered(ctx, incomplete, _names)


def _offered(
    ctx: click.Context, incomplete: str, choices: Callable[[ModelRegistry], Sequence[str]]
) -> list[str]:
    """Of the choices that the store has, those that begin so; none where it has none, or does not answer soon."""
    directories = Directories.locate(os.environ)
    settings = Settings({"tracking-uri": ctx.params.get("tracking_uri")}, os.environ, directories.config)
    try:
        target = tracking_target(settings, directories, Path.cwd())
        if target.uri.database is not None and not target.uri.database.exists():
            return []  # opening would make one
        deadline = Deadline()
        deadline.begin(_PATIENCE)
        with (
            closing(open_store(target.uri, os.environ, warn=lambda text: None, deadline=deadline)) as store,
            opened_registry(store, os.environ) as registry,
        ):
            return [choice for choice in choices(registry) if choice.startswith(incomplete)]
    except (ProjrunError, OSError):
        return []


def _names(registry: ModelRegistry) -> Sequence[str]:
    return [model.name for model in registry.search_registered_models(max_results=_MOST).models]


def _versions(registry: ModelRegistry, name: str) -> Sequence[str]:
    versions = versions_of(registry, registry.get_registered_model(name)).versions
    return [f"{name}/{version.version}" for version in versions]


def _aliases(registry: ModelRegistry, name: str) -> Sequence[str]:
    return [f"{name}@{alias.alias}" for alias in registry.get_registered_model(name).aliases]
