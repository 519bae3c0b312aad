"""The registry that a command is about, its arguments, and what is said where it lacks what they name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from projrun.cli.completing.models import complete_model, complete_name
from projrun.cli.records.model_names import Named, versions_of
from projrun.cli.records.opening import store_of
from projrun.cli.rendering import print_line
from projrun.cli.views import models as models_view
from projrun.errors import NotFoundError, RequestError
from projrun.suggestions import did_you_mean
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_open import opened_registry

_MOST_NAMES = 1000
_SHOWN = 8
"""Aliases or versions in an error's hint."""

model_argument = click.argument("model", metavar="MODEL", shell_complete=complete_model)
version_argument = click.argument("model", metavar="NAME/VERSION", shell_complete=complete_model)
name_argument = click.argument("name", metavar="NAME", shell_complete=complete_name)


@contextmanager
def opened_models(tracking_uri: str | None, named: Named | None = None) -> Iterator[ModelRegistry]:
    """The registry of the tracking store that an option chooses. RequestError where it does not have `named`."""
    with (
        store_of({"tracking-uri": tracking_uri}) as (store, _),
        opened_registry(store, os.environ) as registry,
    ):
        try:
            yield registry
        except NotFoundError as error:
            if named is None:
                raise
            raise absent(registry, named, error) from error


def print_changed(registry: ModelRegistry, named: Named, told: str, *, as_json: bool) -> None:
    """What was done; for programs, the model or the version as it is now."""
    if not as_json:
        print_line(told)
    elif named.version:
        models_view.print_version(registry.get_model_version(named.name, named.version), as_json=True)
    else:
        models_view.print_model_json(registry.get_registered_model(named.name))


def aliases_text(aliases: Sequence[str]) -> str:
    """` as @a, @b`, or nothing."""
    return f" as {', '.join(f'@{alias}' for alias in aliases)}" if aliases else ""


def absent(registry: ModelRegistry, named: Named, error: NotFoundError) -> RequestError:
    """What is not there, and what is."""
    try:
        model = registry.get_registered_model(named.name)
    except NotFoundError:
        names = [each.name for each in registry.search_registered_models(max_results=_MOST_NAMES).models]
        return RequestError(
            f"the registry has no model {named.name!r}{did_you_mean(named.name, names)}",
            hint="see `projrun models list`",
        )
    if named.alias:
        aliases = [alias.alias for alias in model.aliases]
        there = f"its aliases: {_listed(aliases)}" if aliases else "it has none"
        return RequestError(
            f"the model {model.name!r} has no alias {named.alias!r}{did_you_mean(named.alias, aliases)}",
            hint=there,
        )
    if named.version:
        versions = versions_of(registry, model, max_results=_SHOWN + 1).versions
        there = f"its versions: {_listed([each.version for each in versions])}" if versions else "it has none"
        return RequestError(f"the model {model.name!r} has no version {named.version!r}", hint=there)
    return RequestError(error.message, hint=error.hint)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")
