"""What `projrun envs` and `projrun cache` share: options and limits of `prune`, finding one entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from projrun.cache.contents import Item, Limits
from projrun.cli.quantities import parse_duration, parse_size
from projrun.errors import ProjrunError, RequestError

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--older-than", metavar="TIME", help="Also remove those not used for this long: 30d, 12h, 2w."
    ),
    click.option(
        "--max-size",
        metavar="SIZE",
        help="Also remove the least recently used, down to this total: 20GB.",
    ),
    click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing."),
)


def prune_options(command: Command) -> Command:
    """`--older-than`, `--max-size` and `--dry-run`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def parse_limits(older_than: str | None, max_size: str | None) -> Limits:
    """RequestError for an invalid duration or size."""
    return Limits(
        parse_duration(older_than, "--older-than") if older_than is not None else None,
        parse_size(max_size, "--max-size") if max_size is not None else None,
    )


def find_entry(items: Iterable[Item], key: str, *, thing: str, command: str) -> Item:
    """The newest generation of the key with this prefix, or the one that contains an absolute path.

    Raises RequestError for none, and for several keys.
    """
    matches = _matching(items, key)
    keys = sorted({item.entry.key for item in matches})
    if len(keys) > 1:
        raise RequestError(
            f"{key!r} is ambiguous: it matches several {thing}s", hint=f"one of: {', '.join(keys)}"
        )
    if not keys:
        raise RequestError(f"{thing} {key!r} not found", hint=f"see `{command}`")
    return max(matches, key=lambda item: (item.entry.state == "ready", item.entry.path))


def _matching(items: Iterable[Item], key: str) -> list[Item]:
    path = Path(key)
    if path.is_absolute():
        return [item for item in items if path.is_relative_to(item.entry.path)]
    return [item for item in items if item.entry.key.startswith(key)]


@contextmanager
def reading(name: str, folder: Path, error: type[ProjrunError]) -> Iterator[None]:
    """Raise this error where the folder of a cache cannot be used."""
    try:
        yield
    except OSError as problem:
        raise error(
            f"the {name} {folder} cannot be used: {problem.strerror or problem}",
            hint="set PROJRUN_CACHE_DIR to a folder that you own",
        ) from None
