"""Entries of the caches: lists of them, and what was removed and why. Environments and sources share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from projrun.cache.contents import Candidate, Item, Pruned, total_size
from projrun.cli.quantities import ago_text, count_text, size_text
from projrun.cli.rendering import on_terminal, print_json, print_line, print_table, print_text, print_warning

Tell = Callable[[Candidate], str]
"""Names an entry and says why it is removed."""


class Table(NamedTuple):
    """How entries are listed."""

    things: str
    columns: tuple[str, ...]
    """The last one may be folded on a terminal."""
    leaving_out: tuple[str, ...]
    """On a narrow terminal, the first ones first."""


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
        print_line(f"{'would remove' if dry_run else 'removed'} {tell(candidate)}")
    for candidate in pruned.kept:
        print_warning(f"could not remove {tell(candidate)}")
    verb = "would be removed" if dry_run else "removed"
    print_text(f"{len(pruned.removed)} {verb}, {size_text(pruned.freed)}", err=True)


def _print_json(pruned: Pruned, *, dry_run: bool) -> None:
    print_json(
        {
            "dry_run": dry_run,
            "removed": [candidate_document(candidate) for candidate in pruned.removed],
            "kept": [candidate_document(candidate) for candidate in pruned.kept],
            "freed_bytes": pruned.freed,
        }
    )


def told(candidate: Candidate, reason: str, now: float, what: str) -> str:
    """`0123456789 (1.4 GB, unused, last used 40 d ago): what it is`."""
    item = candidate.item
    detail = f"{size_text(item.footprint.size)}, {reason}, last used {ago_text(now - item.entry.last_used)}"
    return f"{item.entry.key[:10]} ({detail}){f': {what}' if what else ''}"


def candidate_document(candidate: Candidate) -> dict[str, Any]:
    """What is removed, for a program."""
    item = candidate.item
    return {
        "key": item.entry.key,
        **({"kind": item.facts["kind"]} if "kind" in item.facts else {}),
        "path": str(item.entry.path),
        "reason": candidate.reason,
        "size_bytes": item.footprint.size,
    }
