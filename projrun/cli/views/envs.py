"""Built environments, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from projrun.cache.contents import Candidate, Item
from projrun.cli.quantities import ago_text, size_text
from projrun.cli.rendering import print_facts, print_line, print_text, time_text
from projrun.cli.tables import Content, Layout, Table
from projrun.cli.views import entries

_TABLE = Table(
    "environments",
    ("KEY", "MANAGER", "PYTHON", "SIZE", "AGE", "LAST USED", "STATE", "BUILT FROM"),
    hiding=("AGE", "MANAGER", "LAST USED", "PYTHON"),
    cutting=("BUILT FROM",),
)
_LOCK_NAMES = "*.lock*"
REASONS = {
    "unfinished": "leftovers of a killed build",
    "broken": "its Python is missing",
    "superseded": "replaced by a rebuild",
    "unused": "unused",
    "size": "over the size limit",
    "named": "as asked",
}


def print_list(items: Sequence[Item], now: float, layout: Layout, *, as_json: bool) -> None:
    """One row for each environment, and the total size."""
    if as_json:
        entries.print_entries_json("environments", items, _summary)
    else:
        entries.print_entries(items, (_row(item, now) for item in items), _TABLE, layout)


def environment_document(item: Item) -> dict[str, Any]:
    """The keys of `projrun envs show --json`; a contract test pins them."""
    files = sorted(item.entry.path.glob(_LOCK_NAMES))
    return {
        **_summary(item),
        "interpreter": item.facts.get("interpreter"),
        "files": item.facts.get("files", []),
        "requirements": item.facts.get("requirements", []),
        "lock": _text(files[0]) if files else None,
        "build_log": str(item.entry.path / "build.log"),
    }


def print_environment(document: Mapping[str, Any], now: float) -> None:
    """All of one environment."""
    state = document["state"] + (", in use" if document["in_use"] else "")
    facts = [
        ("key", document["key"]),
        ("folder", document["path"]),
        ("state", state),
        ("manager", document["manager"] or ""),
        ("python", " ".join(filter(None, (document["python"], document["interpreter"])))),
        ("built", time_text(round(document["created"] * 1000))),
        ("last used", ago_text(now - document["last_used"])),
        ("size", size_text(document["size_bytes"])),
        ("project", document["project"] or ""),
        ("built from", document["summary"] or ""),
        ("build log", document["build_log"]),
    ]
    print_facts(facts)
    _section("files", document["files"])
    _section("requirements", document["requirements"])
    _section("installed", (document["lock"] or "").splitlines())


def told(candidate: Candidate, now: float) -> str:
    """An environment that is removed, and why."""
    return entries.told(candidate, REASONS[candidate.reason], now, built_from(candidate.item.facts))


def _row(item: Item, now: float) -> tuple[Content, ...]:
    facts, entry = item.facts, item.entry
    return (
        entries.key_cell(item),
        str(facts.get("manager", "")),
        str(facts.get("python", "")),
        entries.size_cell(item),
        entries.age_cell(now, item.created),
        entries.age_cell(now, entry.last_used),
        "in use" if item.in_use else entry.state,
        built_from(facts),
    )


def built_from(facts: Mapping[str, object]) -> str:
    """In a few words."""
    return ", ".join(str(facts[name]) for name in ("summary", "project") if facts.get(name))


def _summary(item: Item) -> dict[str, Any]:
    facts, entry = item.facts, item.entry
    return {
        "key": entry.key,
        "path": str(entry.path),
        "state": entry.state,
        "in_use": item.in_use,
        "manager": facts.get("manager"),
        "python": facts.get("python"),
        "summary": facts.get("summary"),
        "project": facts.get("project"),
        "created": round(item.created),
        "last_used": round(entry.last_used),
        "size_bytes": item.footprint.size,
    }


def _section(title: str, lines: Sequence[str]) -> None:
    if lines:
        print_text(f"\n{title}")
    for line in lines:
        print_line(f"  {line}")


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
