"""What goes, why, and how much space it frees: for people and for programs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from projrun.cache.contents import Candidate
from projrun.cli.collecting.machine import ENVIRONMENT, LOG, kind_of
from projrun.cli.quantities import ago_text, count_text, size_text
from projrun.cli.rendering import print_json, print_text
from projrun.cli.tables import Cell, Table, print_table
from projrun.cli.views import cache as cache_view
from projrun.cli.views import envs as envs_view
from projrun.cli.views.entries import candidate_document
from projrun.tracking.purge import Deleted

_TABLE = Table("entries", ("KIND", "SIZE", "WHY", "WHAT"), hiding=("WHY",), cutting=("WHAT",))
_PLURALS = {"repository": "repositories", "copy": "copies"}
_OTHER_REASONS = {"unused": "unused", "size": "over the size limit", "broken": "its image is gone"}


class Row(NamedTuple):
    """One thing that goes."""

    kind: str
    what: str
    why: str
    size: int
    document: dict[str, Any]

    @property
    def words(self) -> str:
        """Which one, for people."""
        return f"{self.kind} {self.what}"


def of_record(deleted: Deleted, size: int) -> Row:
    """What was deleted in the store."""
    return Row(
        deleted.kind.replace("_", " "),
        f"{deleted.name} ({deleted.id})",
        f"deleted {ago_text(time.time() - deleted.deleted_time / 1000)}",
        size,
        {
            "kind": deleted.kind,
            "id": deleted.id,
            "name": deleted.name,
            "deleted_time": deleted.deleted_time,
            "experiment_id": deleted.experiment_id,
            "size_bytes": size,
        },
    )


def of_machine(candidate: Candidate) -> Row:
    """What this machine keeps."""
    item = candidate.item
    kind, used = kind_of(item), ago_text(time.time() - item.entry.last_used)
    if kind == ENVIRONMENT:
        reason, what = envs_view.REASONS[candidate.reason], envs_view.built_from(item.facts)
    elif kind == LOG:
        reason, what = "output of a run", str(item.entry.path)
    elif kind in cache_view.KINDS:
        reason, what = cache_view.reason(candidate), cache_view.what(item)
    else:
        reason, what = _OTHER_REASONS[candidate.reason], str(item.facts.get("tag", ""))
    name = item.entry.key[:10] if kind != LOG else ""
    return Row(
        kind,
        " ".join(filter(None, (name, what))),
        f"{reason}, last used {used}",
        item.footprint.size,
        candidate_document(candidate),
    )


def print_plan(rows: Sequence[Row]) -> None:
    """The table of what would be removed."""
    if rows:
        cells = [(row.kind, Cell(size_text(row.size), str(row.size)), row.why, row.what) for row in rows]
        print_table(_TABLE, cells)


def print_total(rows: Sequence[Row], freed: int, verb: str) -> None:
    """The last line."""
    size = f", {size_text(freed)}" if freed else ""
    print_text(f"{counted(rows) or 'nothing'} {verb}{size}", err=True)


def print_document(removed: Sequence[Row], kept: Sequence[Row], freed: int, *, dry_run: bool) -> None:
    """The same as one object."""
    documents = [[row.document for row in rows] for rows in (removed, kept)]
    print_json({"dry_run": dry_run, "removed": documents[0], "kept": documents[1], "freed_bytes": freed})


def counted(rows: Iterable[Row]) -> str:
    """`2 runs and 1 experiment`."""
    kinds = Counter(row.kind for row in rows)
    parts = [count_text(number, kind, _PLURALS.get(kind, "")) for kind, number in kinds.items()]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
