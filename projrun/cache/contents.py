"""What a cache holds, its size on disk, and what can be evicted."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from projrun.cache.entries import ContentCache, Entry, describe, is_in_use

Inode = tuple[int, int]
Reason = Literal["unfinished", "broken", "superseded", "unused", "size", "named"]


class Footprint(NamedTuple):
    """Bytes on disk, as `du` counts them: whole blocks."""

    own: int
    shared: Mapping[Inode, int]
    """Files with several hard links, which other entries may hold too."""

    @property
    def size(self) -> int:
        """What `du` says of the entry alone."""
        return self.own + sum(self.shared.values())


class Item(NamedTuple):
    """An entry with what people want to know about it."""

    entry: Entry
    footprint: Footprint
    facts: Mapping[str, object]
    created: float
    """Seconds since the epoch."""
    in_use: bool


class Candidate(NamedTuple):
    """An entry that can be evicted, and why."""

    item: Item
    reason: Reason


class Limits(NamedTuple):
    """What to keep."""

    unused_seconds: float | None = None
    """Entries that were unuseder go."""
    total_bytes: int | None = None
    """The entries that were unusedest go until the rest takes no more."""


class Pruned(NamedTuple):
    """What was removed, or would be."""

    removed: tuple[Candidate, ...]
    kept: tuple[Candidate, ...]
    """What should have been evicted, but was in use or could not be removed."""
    freed: int
    """Bytes, where the files are not held elsewhere too (uv's own cache shares its files)."""


def contents(cache: ContentCache) -> list[Item]:
    """All entries, the last used first. Raises OSError where the cache cannot be read."""
    items = [_item(entry) for entry in cache.entries()]
    return sorted(items, key=lambda item: item.entry.last_used, reverse=True)


def total_size(items: Iterable[Item]) -> int:
    """What the items take together; a file that several hold counts once."""
    shared: dict[Inode, int] = {}
    own = 0
    for item in items:
        own += item.footprint.own
        shared.update(item.footprint.shared)
    return own + sum(shared.values())


def prune(cache: ContentCache, limits: Limits, now: float, *, dry_run: bool = False) -> Pruned:
    """Remove what no run can use, and what is over the limits; never what a process uses or builds."""
    items = contents(cache)
    chosen = choose(items, limits, now)
    if dry_run:
        return removed_of(items, chosen, lambda candidate: True)
    pruned = removed_of(items, chosen, lambda candidate: cache.remove(candidate.item.entry))
    cache.sweep()
    return pruned


def removed_of(
    items: Sequence[Item], candidates: Iterable[Candidate], remove: Callable[[Candidate], bool]
) -> Pruned:
    """Remove the candidates one by one: `remove` says whether one is gone."""
    removed: list[Candidate] = []
    kept: list[Candidate] = []
    for candidate in candidates:
        (removed if remove(candidate) else kept).append(candidate)
    paths = {candidate.item.entry.path for candidate in removed}
    rest = [item for item in items if item.entry.path not in paths]
    return Pruned(tuple(removed), tuple(kept), total_size(items) - total_size(rest))


def choose(items: Sequence[Item], limits: Limits, now: float) -> list[Candidate]:
    """What to evict, in order: of the entries over the size, the least recently used first."""
    free = [item for item in items if not item.in_use and item.entry.state != "building"]
    newest = _newest_of_each_key(items)
    chosen: dict[Path, Candidate] = {}
    for item in free:
        reason = _reason(item, newest, limits, now)
        if reason is not None:
            chosen[item.entry.path] = Candidate(item, reason)
    if limits.total_bytes is not None:
        rest = [item for item in items if item.entry.path not in chosen]
        oldest_first = sorted(
            (item for item in free if item.entry.path not in chosen), key=lambda item: item.entry.last_used
        )
        for item in _over(oldest_first, rest, limits.total_bytes):
            chosen[item.entry.path] = Candidate(item, "size")
    return list(chosen.values())


def _reason(
    item: Item, newest: Mapping[tuple[object, str], Path], limits: Limits, now: float
) -> Reason | None:
    entry = item.entry
    if entry.state == "unfinished":
        return "unfinished"
    if entry.state == "broken":
        return "broken"
    if newest[_name(item)] != entry.path:
        return "superseded"
    if limits.unused_seconds is not None and now - entry.last_used > limits.unused_seconds:
        return "unused"
    return None


def _newest_of_each_key(items: Iterable[Item]) -> dict[tuple[object, str], Path]:
    ready = [item for item in items if item.entry.state == "ready"]
    return {_name(item): item.entry.path for item in sorted(ready, key=lambda item: item.entry.path)}


def _name(item: Item) -> tuple[object, str]:
    """Keys are those of one kind."""
    return item.facts.get("kind"), item.entry.key


def _over(oldest_first: Iterable[Item], present: Sequence[Item], limit: int) -> Iterator[Item]:
    holders: Counter[Inode] = Counter()
    total = total_size(present)
    for item in present:
        holders.update(item.footprint.shared.keys())
    for item in oldest_first:
        if total <= limit:
            return
        yield item
        holders.subtract(item.footprint.shared.keys())
        total -= item.footprint.own
        total -= sum(size for inode, size in item.footprint.shared.items() if not holders[inode])


def _item(entry: Entry) -> Item:
    facts = describe(entry.path)
    return Item(entry, measure(entry.path), facts, created(entry, facts), is_in_use(entry.path))


def created(entry: Entry, facts: Mapping[str, object]) -> float:
    """Seconds since the epoch: as its facts say, else when its folder was last changed."""
    when = facts.get("created")
    return float(when) if isinstance(when, int | float) else _modified(entry.path)


def _modified(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # removed a moment ago
        return 0.0


def measure(folder: Path) -> Footprint:
    """What a folder takes on disk; links are not followed."""
    own = 0
    shared: dict[Inode, int] = {}
    for status in _statuses(folder):
        size = status.st_blocks * 512
        if status.st_nlink > 1 and not _is_folder(status):
            shared[status.st_dev, status.st_ino] = size
        else:
            own += size
    return Footprint(own, shared)


def _is_folder(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode)


def _statuses(folder: Path | str) -> Iterator[os.stat_result]:
    try:
        yield Path(folder).lstat()
        entries = os.scandir(folder)
    except OSError:  # removed a moment ago
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _statuses(entry.path)
                continue
            try:
                yield entry.stat(follow_symlinks=False)
            except OSError:
                continue
