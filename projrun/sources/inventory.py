"""What the cache holds of sources: mirrors of repositories, checkouts, the copies that runs left, and their downloads.

Each is an `Item` whose fact `kind` says which of them it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from projrun.cache.contents import (
    Item,
    Limits,
    Pruned,
    choose,
    contents,
    created,
    measure,
    removed_of,
)
from projrun.cache.entries import ContentCache, Entry, describe
from projrun.cache.locked_folders import hold, is_held, lock_file, remove_held, sweep
from projrun.cache.locks import is_locked, open_locked
from projrun.cache.removal import remove_folder
from projrun.sources.copies.leftovers import left_behind
from projrun.sources.copies.run_copies import read_facts
from projrun.sources.git.mirror_lock import lock_file_of
from projrun.sources.places import TREE, checkouts, copies, downloads, repositories
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.cache.entries import State

REPOSITORY, CHECKOUT, COPY, DOWNLOAD = "repository", "checkout", "copy", "download"

_NAME = re.compile(r"[0-9a-f]{16,64}")


def holdings(cache: Path) -> list[Item]:
    """All of it, the last used first; changes nothing. Raises OSError where the cache cannot be read."""
    items = [*_repositories(cache), *_checkouts(cache), *_copies(cache), *_downloads(cache)]
    return sorted(items, key=lambda item: item.entry.last_used, reverse=True)


def kind(item: Item) -> str:
    """`repository`, `checkout`, `copy` or `download`."""
    return str(item.facts["kind"])


def prune_holdings(cache: Path, limits: Limits, now: float, *, dry_run: bool = False) -> Pruned:
    """Remove what no run can use, and what is over the limits; never what a process uses.

    A kept copy may contain someone's work: only its age counts, not its size. Raises OSError.
    """
    items = holdings(cache)
    fetched = [item for item in items if kind(item) != COPY]
    copied = [item for item in items if kind(item) == COPY]
    chosen = choose(fetched, limits, now) + choose(copied, limits._replace(total_bytes=None), now)
    if dry_run:
        return removed_of(items, chosen, lambda candidate: True)
    pruned = removed_of(items, chosen, lambda candidate: remove_holding(cache, candidate.item))
    sweep_holdings(cache)
    return pruned


def sweep_holdings(cache: Path) -> None:
    """Remove what interrupted removals left."""
    _checkout_cache(cache).sweep()
    for place in (copies(cache), downloads(cache)):
        sweep(place)


def remove_holding(cache: Path, item: Item) -> bool:
    """Remove one of them; False where a process uses it, or it cannot be removed."""
    if kind(item) == CHECKOUT:
        return _checkout_cache(cache).remove(item.entry)
    if kind(item) == REPOSITORY:
        return _remove_repository(item.entry.path)
    return hold(item.entry.path) and remove_held(item.entry.path)


def _checkout_cache(cache: Path) -> ContentCache:
    return ContentCache(checkouts(cache), probe=TREE)


def _checkouts(cache: Path) -> list[Item]:
    items = contents(_checkout_cache(cache))
    return [item._replace(facts={**item.facts, "kind": CHECKOUT}) for item in items]


def _repositories(cache: Path) -> Iterator[Item]:
    for folder in _folders(repositories(cache)):
        facts = describe(folder)
        used = max(_changed(path) for path in (folder / "description.json", *(folder / "versions").glob("*")))
        entry = Entry(folder.name, folder, "ready" if facts else "unfinished", used or _changed(folder))
        yield _item(entry, {**facts, "kind": REPOSITORY}, in_use=is_locked(lock_file_of(folder)))


def _copies(cache: Path) -> Iterator[Item]:
    for folder in _folders(copies(cache)):
        facts, in_use = read_facts(folder), is_held(folder)
        state: State = "ready" if in_use or _is_worth_keeping(folder, facts) else "unfinished"
        entry = Entry(folder.name, folder, state, _changed(lock_file(folder)) or _changed(folder))
        yield _item(entry, {**facts, "kind": COPY}, in_use=in_use)


def _downloads(cache: Path) -> Iterator[Item]:
    for folder in _folders(downloads(cache)):
        in_use = is_held(folder)
        state: State = "ready" if in_use else "unfinished"  # its run cannot come back
        yield _item(Entry(folder.name, folder, state, _changed(folder)), {"kind": DOWNLOAD}, in_use=in_use)


def _is_worth_keeping(copy: Path, facts: dict[str, object]) -> bool:
    """Whether it was kept, or its run was killed and left files in it."""
    if "kept" in facts:
        return True
    checkout = facts.get("cached")
    if not isinstance(checkout, str):  # the copy was never completed
        return False
    return not Path(checkout).is_dir() or bool(left_behind(copy, Path(checkout), {}))


def _item(entry: Entry, facts: dict[str, object], *, in_use: bool) -> Item:
    return Item(entry, measure(entry.path), facts, created(entry, facts), in_use)


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            found = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(Path(entry.path) for entry in found if _NAME.fullmatch(entry.name))


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _remove_repository(folder: Path) -> bool:
    """Under its lock, which stays: a process may wait for it (`mirror_lock`)."""
    try:
        lock = open_locked(lock_file_of(folder), os.O_RDWR | os.O_CREAT)
    except OSError:
        return False
    if lock is None:
        return False
    with lock:
        return remove_folder(folder)
