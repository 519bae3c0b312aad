"""What `projrun envs` and `projrun cache` share: listing, finding one entry, limits, and saying what was removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from projrun.cache.contents import Candidate, Item, Limits, Pruned, total_size
from projrun.cli.quantities import ago_text, count_text, parse_duration, parse_size, size_text
from projrun.cli.rendering import on_terminal, print_json, print_table, print_text, print_warning
from projrun.errors import ProjrunError, RequestError

Command = TypeVar("Command", bound=Callable[..., Any])
Tell = Callable[[Candidate], str]
"""Names an entry and says why it is removed."""

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


class Table(NamedTuple):
    """How entries are listed."""

    things: str
    columns: tuple[str, ...]
    """The last one may be folded on a terminal."""
    leaving_out: tuple[str, ...]
    """On a narrow terminal, the first ones first."""


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


def print_entries(items: Sequence[Item], rows: Iterable[Sequence[str]], table: Table) -> None:
    """One row for each entry, and the total size."""
    if not items:
        print_text(f"no {table.things}", err=True)
        return
    print_table(table.columns, list(rows), wrapping=table.columns[-1:], leaving_out=table.leaving_out)
    print_text(f"{count_text(len(items), 'entry', 'entries')}, {size_text(total_size(items))}", err=True)


def print_entries_json(name: str, items: Sequence[Item], document: Callable[[Item], object]) -> None:
    """The same as one object."""
    print_json({name: [document(item) for item in items], "total_bytes": total_size(items)})


def shown_key(item: Item) -> str:
    """On a terminal a prefix of the key is enough, for `show` too; a program gets all of it."""
    return item.entry.key[:10] if on_terminal() else item.entry.key


def print_pruned(pruned: Pruned, tell: Tell, *, dry_run: bool, as_json: bool) -> None:
    """What was removed and why, and the space freed."""
    if as_json:
        _print_json(pruned, dry_run=dry_run)
        return
    for candidate in pruned.removed:
        print_text(f"{'would remove' if dry_run else 'removed'} {tell(candidate)}")
    for candidate in pruned.kept:
        print_warning(f"could not remove {tell(candidate)}")
    verb = "would be removed" if dry_run else "removed"
    print_text(f"{len(pruned.removed)} {verb}, {size_text(pruned.freed)}", err=True)


def _print_json(pruned: Pruned, *, dry_run: bool) -> None:
    print_json(
        {
            "dry_run": dry_run,
            "removed": [_candidate(candidate) for candidate in pruned.removed],
            "kept": [_candidate(candidate) for candidate in pruned.kept],
            "freed_bytes": pruned.freed,
        }
    )


def told(candidate: Candidate, reason: str, now: float, what: str) -> str:
    """`0123456789 (1.4 GB, unused, last used 40 d ago): what it is`."""
    item = candidate.item
    detail = f"{size_text(item.footprint.size)}, {reason}, last used {ago_text(now - item.entry.last_used)}"
    return f"{item.entry.key[:10]} ({detail}){f': {what}' if what else ''}"


def _candidate(candidate: Candidate) -> dict[str, Any]:
    item = candidate.item
    return {
        "key": item.entry.key,
        **({"kind": item.facts["kind"]} if "kind" in item.facts else {}),
        "path": str(item.entry.path),
        "reason": candidate.reason,
        "size_bytes": item.footprint.size,
    }
