"""What a shell offers after Tab for the name of a model: names, versions after a slash, aliases after an `@`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

import click
from click.shell_completion import CompletionItem

from projrun.cli.completing.stores import asked
from projrun.cli.records.model_names import versions_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_open import opened_registry
from projrun.tracking.runs import RunStore

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


def model_uris(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str | CompletionItem]:
    """`models:/NAME…` of the registry, `runs:/` with ids of runs, else paths; any of them after `NAME=`."""
    name, equals, uri = incomplete.partition("=")
    if equals and not re.search("[/:]", name):
        found = model_uris(ctx, param, uri)
        return [f"{name}={one}" if isinstance(one, str) else one for one in found]
    for scheme, complete in (("models:/", complete_model), ("runs:/", _runs)):
        if incomplete.startswith(scheme):
            return [f"{scheme}{one}" for one in complete(ctx, param, incomplete[len(scheme) :])]
    if incomplete and (schemes := [one for one in ("models:/", "runs:/") if one.startswith(incomplete)]):
        return [*schemes]
    return [CompletionItem(incomplete, type="file")]


def _runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from projrun.cli.completing.records import runs

    return [f"{one.value}/" for one in runs(ctx, param, incomplete)]


def _offered(
    ctx: click.Context, incomplete: str, choices: Callable[[ModelRegistry], Sequence[str]]
) -> list[str]:
    """Of the choices that the store has, those that begin so."""

    def question(store: RunStore) -> list[str]:
        with opened_registry(store, os.environ) as registry:
            return [choice for choice in choices(registry) if choice.startswith(incomplete)]

    return asked(ctx, question)


def _names(registry: ModelRegistry) -> Sequence[str]:
    return [model.name for model in registry.search_registered_models(max_results=_MOST).models]


def _versions(registry: ModelRegistry, name: str) -> Sequence[str]:
    versions = versions_of(registry, registry.get_registered_model(name)).versions
    return [f"{name}/{version.version}" for version in versions]


def _aliases(registry: ModelRegistry, name: str) -> Sequence[str]:
    return [f"{name}@{alias.alias}" for alias in registry.get_registered_model(name).aliases]
