"""`projrun envs`: built environments: listing, showing and removing them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import click

from projrun.cache.contents import Candidate, Item, contents, prune, removed_of
from projrun.cache.entries import ContentCache
from projrun.cli.options import environment_options, json_option, table_options
from projrun.cli.pruning import find_entry, parse_limits, prune_options, reading
from projrun.cli.rendering import own_places, print_json, print_path, print_text, print_warning
from projrun.cli.request import build_environment_request
from projrun.cli.tables import Layout
from projrun.cli.views import envs as envs_view
from projrun.cli.views.entries import print_pruned
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.running.plan import plan_environment
from projrun.running.request import context_of


@click.group()
def envs() -> None:
    """List, show and remove built environments."""


@envs.command("list")
@table_options
@json_option
def list_environments(as_json: bool, layout: Layout) -> None:
    """List built environments, the most recently used first.

    Sizes are those of `du`: files shared by several environments or with uv's cache count in each.
    """
    envs_view.print_list(_contents(_cache()), time.time(), layout, as_json=as_json)


@envs.command("show")
@click.argument("key", metavar="KEY")
@json_option
def show_environment(key: str, as_json: bool) -> None:
    """Show an environment: what it was built from and what is in it. A unique prefix of its key is enough."""
    item = _find(_contents(_cache()), key)
    document = envs_view.environment_document(item)
    if as_json:
        print_json(document)
    else:
        envs_view.print_environment(document, time.time())


@envs.command("prune")
@prune_options
@json_option
def prune_environments(older_than: str | None, max_size: str | None, dry_run: bool, as_json: bool) -> None:
    """Remove environments; never one that a run uses or a process builds.

    Without options, removes only what no run would use: leftovers of killed builds, environments whose Python is
    missing, environments replaced by a rebuild.

    \b
    projrun envs prune --older-than 30d --max-size 20GB --dry-run
    """
    limits = parse_limits(older_than, max_size)
    cache, now = _cache(), time.time()
    with reading("environment cache", cache.root, EnvironmentBuildError):
        pruned = prune(cache, limits, now, dry_run=dry_run)
    print_pruned(pruned, lambda one: envs_view.told(one, now), dry_run=dry_run, as_json=as_json)


@envs.command("remove")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@json_option
def remove_environments(keys: Sequence[str], as_json: bool) -> None:
    """Remove environments; a run that needs one builds it again.

    KEY is a unique prefix of its key, or a path in it. One that a run uses is an error, before any is removed.

    \b
    projrun envs remove 3f9a 81c0
    """
    cache, now = _cache(), time.time()
    items = _contents(cache)
    wanted = {_find(items, key).entry.key for key in keys}
    chosen = [Candidate(item, "named") for item in items if item.entry.key in wanted]
    for candidate in chosen:
        if candidate.item.in_use or candidate.item.entry.state == "building":
            raise RequestError(
                f"environment {candidate.item.entry.key} is in use",
                hint="try again after the runs that use it",
            )
    with reading("environment cache", cache.root, EnvironmentBuildError):
        pruned = removed_of(items, chosen, lambda candidate: cache.remove(candidate.item.entry))
        cache.sweep()
    print_pruned(pruned, lambda one: envs_view.told(one, now), dry_run=False, as_json=as_json)
    if pruned.kept:
        raise EnvironmentBuildError(
            f"could not remove {', '.join(each.item.entry.key for each in pruned.kept)}",
            hint="a run uses it now, or its files belong to another user",
        )


@envs.command("path")
@environment_options
def show_path(as_json: bool, **values: Any) -> None:
    """Print the folder of a project's environment, built or not.

    \b
    $(projrun envs path .)/bin/python -c "import sklearn"
    """
    request = build_environment_request(values)
    context = context_of(request, os.environ)
    for warning in context.warnings:
        print_warning(warning)
    environment = plan_environment(request, context)
    resolved = environment.resolved
    if resolved.path is None:
        raise RequestError(
            f"the environment has no folder: {resolved.summary}",
            hint="choose a manager that builds one, or an environment with --env",
        )
    if as_json:
        document = {"path": str(resolved.path), "exists": resolved.exists, "key": resolved.key}
        print_json({**document, "manager": resolved.manager, "summary": resolved.summary})
        return
    print_path(resolved.path)
    if not resolved.exists:
        print_text("projrun: not built yet; `projrun run` builds it", err=True)


def _cache() -> ContentCache:
    return ContentCache(own_places().environments)


def _contents(cache: ContentCache) -> list[Item]:
    with reading("environment cache", cache.root, EnvironmentBuildError):
        return contents(cache)


def _find(items: list[Item], key: str) -> Item:
    return find_entry(items, key, thing="environment", command="projrun envs list")
