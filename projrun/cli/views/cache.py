"""Fetched sources and runs' copies, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from projrun.cache.contents import Candidate, Item
from projrun.cli.quantities import ago_text, size_text
from projrun.cli.rendering import print_facts, time_text
from projrun.cli.tables import Content, Layout, Table
from projrun.cli.views import entries
from projrun.sources.inventory import CHECKOUT, COPY, DOWNLOAD, REPOSITORY, kind
from projrun.sources.places import TREE

_TABLE = Table(
    "sources",
    ("KEY", "KIND", "SIZE", "AGE", "LAST USED", "STATE", "SOURCE"),
    hiding=("AGE", "LAST USED", "SIZE", "STATE"),
    cutting=("SOURCE",),
)
_REASONS = {
    "unfinished": {
        CHECKOUT: "leftovers of a killed fetch",
        REPOSITORY: "leftovers of a killed fetch",
        COPY: "copy of a killed run, no new files",
        DOWNLOAD: "leftovers of a killed run",
    },
    "broken": {CHECKOUT: "its files are missing"},
    "superseded": {CHECKOUT: "replaced by a newer fetch"},
}
KINDS = (REPOSITORY, CHECKOUT, COPY, DOWNLOAD)
_LIMITS = {"unused": "unused", "size": "over the size limit"}
_SHOWN_HASH = 12


def print_list(items: Sequence[Item], now: float, layout: Layout, *, as_json: bool) -> None:
    """One row each, and the total size."""
    if as_json:
        entries.print_entries_json("sources", items, source_document)
    else:
        entries.print_entries(items, (_row(item, now) for item in items), _TABLE, layout)


def source_document(item: Item) -> dict[str, Any]:
    """The keys of `projrun cache show --json`; a contract test pins them."""
    entry, facts = item.entry, item.facts
    return {
        "key": entry.key,
        "kind": kind(item),
        "path": str(files(item)),
        "state": _state(item),
        "in_use": item.in_use,
        "source": facts.get("source"),
        "commit": facts.get("commit"),
        "sha256": _digest(item),
        "run_id": facts.get("run_id"),
        "reason": facts.get("kept"),
        "created": round(item.created),
        "last_used": round(entry.last_used),
        "size_bytes": item.footprint.size,
    }


def print_source(item: Item, now: float) -> None:
    """All of one entry."""
    document = source_document(item)
    facts = [
        ("key", document["key"]),
        ("kind", document["kind"]),
        ("folder", document["path"]),
        ("state", document["state"]),
        ("source", document["source"]),
        ("commit", document["commit"]),
        ("sha256", document["sha256"]),
        ("run", document["run_id"]),
        ("kept because", document["reason"]),
        ("made", time_text(round(item.created * 1000))),
        ("last used", ago_text(now - item.entry.last_used)),
        ("size", size_text(item.footprint.size)),
    ]
    print_facts(facts, 13)


def told(candidate: Candidate, now: float) -> str:
    """What is removed, and why."""
    item = candidate.item
    return entries.told(candidate, reason(candidate), now, f"{kind(item)} {what(item)}".rstrip())


def reason(candidate: Candidate) -> str:
    """Why it is removed, in a few words."""
    return _LIMITS.get(candidate.reason) or _REASONS[candidate.reason][kind(candidate.item)]


def files(item: Item) -> Path:
    """The folder that people want: of a checkout, its files."""
    return item.entry.path / TREE if kind(item) == CHECKOUT else item.entry.path


def _row(item: Item, now: float) -> tuple[Content, ...]:
    entry = item.entry
    return (
        entries.key_cell(item),
        kind(item),
        entries.size_cell(item),
        entries.age_cell(now, item.created),
        entries.age_cell(now, entry.last_used),
        _state(item),
        what(item),
    )


def _state(item: Item) -> str:
    if item.in_use:
        return "in use"
    if kind(item) in (COPY, DOWNLOAD):
        return "kept" if "kept" in item.facts else "abandoned"
    return item.entry.state


def what(item: Item) -> str:
    """The source, its version, and why it was kept."""
    facts = item.facts
    version = facts.get("commit") or (f"sha256:{_digest(item)}" if _digest(item) else "")
    shown = str(version)[: _SHOWN_HASH + (7 if str(version).startswith("sha256:") else 0)]
    source = " at ".join(filter(None, (str(facts.get("source") or ""), shown)))
    return ": ".join(filter(None, (source, str(facts.get("kept") or ""))))


def _digest(item: Item) -> object:
    return item.facts.get("sha256") or item.facts.get("digest")
