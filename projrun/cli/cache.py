"""`projrun cache`: fetched sources and the copies that runs left: listing, showing and removing them."""

from __future__ import annotations

import time
from pathlib import Path

import click

from projrun.cache.contents import Item
from projrun.cli.options import json_option, table_options
from projrun.cli.pruning import find_entry, parse_limits, prune_options, reading
from projrun.cli.rendering import own_places, print_json, print_path
from projrun.cli.tables import Layout
from projrun.cli.views import cache as cache_view
from projrun.cli.views.entries import print_pruned
from projrun.errors import SourceError
from projrun.project.parsed import remove_unused
from projrun.sources.inventory import holdings, prune_holdings
from projrun.sources.trusted_folders import check_places


@click.group()
def cache() -> None:
    """List, show and remove fetched sources and the copies that runs left."""


@cache.command("list")
@table_options
@json_option
def list_sources(as_json: bool, layout: Layout) -> None:
    """List fetched sources and what runs left. The most recently used comes first.

    repository: the commits fetched so far; checkout: one commit or archive, ready to be copied for a run; copy: left
    by a run that failed, was killed, or wrote files; download: the content of a `path` parameter. Sizes are those of
    `du`; copies may share blocks with the checkout.
    """
    cache_view.print_list(_holdings(_folder()), time.time(), layout, as_json=as_json)


@cache.command("show")
@click.argument("key", metavar="KEY")
@json_option
def show_source(key: str, as_json: bool) -> None:
    """Show an entry: its source and who uses it. KEY is a unique prefix of its key, or a path in it."""
    item = _find(_holdings(_folder()), key)
    if as_json:
        print_json(cache_view.source_document(item))
    else:
        cache_view.print_source(item, time.time())


@cache.command("prune")
@prune_options
@json_option
def prune_sources(older_than: str | None, max_size: str | None, dry_run: bool, as_json: bool) -> None:
    """Remove fetched sources; never what a run uses or a process fetches.

    Without options, removes only leftovers of killed processes. Copies that runs left are removed by --older-than
    only and do not count for --max-size, since they may contain your work.

    \b
    projrun cache prune --older-than 30d --max-size 20GB --dry-run
    """
    limits = parse_limits(older_than, max_size)
    folder, now = _folder(), time.time()
    with reading("cache", folder, SourceError):
        pruned = prune_holdings(folder, limits, now, dry_run=dry_run)
    if not dry_run:
        remove_unused(folder, 0.0 if limits.unused_seconds is None else now - limits.unused_seconds)
    print_pruned(pruned, lambda one: cache_view.told(one, now), dry_run=dry_run, as_json=as_json)


@cache.command("path")
@click.argument("key", metavar="[KEY]", required=False)
@json_option
def show_path(key: str | None, as_json: bool) -> None:
    """Print the cache's folder, or the folder of one of its sources.

    \b
    ls "$(projrun cache path 3f9a)"
    """
    folder = own_places().cache
    path = folder if key is None else cache_view.files(_find(_holdings(_folder()), key))
    if as_json:
        print_json({"path": str(path), "exists": path.exists()})
    else:
        print_path(path)


def _folder() -> Path:
    """The cache's folder. Raises SourceError where it is not the user's."""
    folder = own_places().cache
    check_places(folder)
    return folder


def _holdings(folder: Path) -> list[Item]:
    with reading("cache", folder, SourceError):
        return holdings(folder)


def _find(items: list[Item], key: str) -> Item:
    return find_entry(items, key, thing="source", command="projrun cache list")
