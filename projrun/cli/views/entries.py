"""Entries of the caches: lists of them, and what was removed and why. Environments and sources share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from projrun.cache.contents import Candidate, Item, Pruned, total_size
from projrun.cli.quantities import age_text, ago_text, count_text, size_text
from projrun.cli.rendering import print_json, print_line, print_text, print_warning
from projrun.cli.tables import Cell, Content, Layout, Table, id_cell, print_table

Tell = Callable[[Candidate], str]
"""Names an entry and says why it is removed."""


def print_entries(
    items: Sequence[Item], rows: Iterable[Sequence[Content]], table: Table, layout: Layout
) -> None:
    """One row for each entry, and the total size."""
    print_table(table, list(rows), layout)
    if not items:
        return
    print_text(f"{count_text(len(items), 'entry', 'entries')}, {size_text(total_size(items))}", err=True)


def print_entries_json(name: str, items: Sequence[Item], document: Callable[[Item], object]) -> None:
    """The same as one object."""
    print_json({name: [document(item) for item in items], "total_bytes": total_size(items)})


def key_cell(item: Item) -> Cell:
    """On a terminal a prefix of the key is enough, for `show` too."""
    return id_cell(item.entry.key, 10)


def size_cell(item: Item) -> Cell:
    """What it takes on disk; bytes for programs."""
    return Cell(size_text(item.footprint.size), str(item.footprint.size))


def age_cell(now: float, then: float) -> Cell:
    """How long ago; seconds for programs."""
    return Cell(age_text(now - then), f"{now - then:.0f}")


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
