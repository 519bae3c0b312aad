"""What is installed and kept on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from projrun.cache.entries import ContentCache
from projrun.directories import Directories
from projrun.plugins import built_ins
from projrun.sources.places import checkouts, copies, repositories


def managers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Those that `--env-manager` takes."""
    by_option = built_ins().CHOOSING_OPTIONS.values()
    return [name for name in built_ins().ENVIRONMENTS if name not in by_option]


def backends(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The built-in ones; a scan for others takes too long for a key."""
    return list(built_ins().BACKENDS)


def download_words(ctx: click.Context, param: click.Parameter, incomplete: str) -> tuple[str, ...]:
    """Of `--python-downloads`."""
    return ("automatic", "never")


def keys(ctx: click.Context, param: click.Parameter, incomplete: str) -> Iterator[str]:
    """Of environments, or of sources."""
    places = Directories.locate(os.environ)
    parent = ctx.parent.info_name if ctx.parent is not None else ""
    try:
        if parent == "envs":
            yield from sorted({entry.key for entry in ContentCache(places.environments).entries()})
            return
        for place in (repositories, checkouts, copies):
            folder = place(places.cache)
            yield from (
                sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ()
            )
    except OSError:
        return
