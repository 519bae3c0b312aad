"""The user's own folders: permissions, space, locks, and what dead processes left."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from projrun.cache.entries import ContentCache
from projrun.cache.locks import NoLocksError, try_lock
from projrun.cache.ownership import secured
from projrun.cli.doctor.findings import Finding, failed
from projrun.cli.quantities import count_text, size_text
from projrun.directories import Directories
from projrun.errors import ProjrunError
from projrun.running.record.outbox import waiting_runs
from projrun.sources.places import checkouts
from projrun.sources.trusted_folders import check_places

_LITTLE, _NONE = 2 * 10**9, 50 * 10**6
"""Free bytes: too few for an environment, and for anything."""
_FREE = "free some space: `projrun gc --older-than 30d --dry-run` shows what can go"


def look_at_places(places: Directories) -> Iterator[Finding]:
    """Each folder, then what is in them."""
    try:
        for changed in secured(places):
            yield Finding("folders", "permissions", "warning", changed)
        check_places(places.cache)
    except ProjrunError as error:
        yield failed("folders", "permissions", error)
    looked_at = set[int]()
    for name, folder in (("data", places.data), ("cache", places.cache)):
        yield from _look_at_folder(name, folder, looked_at)
    yield from _look_at_leftovers(places)


def _look_at_folder(name: str, folder: Path, devices: set[int]) -> Iterator[Finding]:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(prefix=".projrun-doctor-", dir=existing) as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            try_lock(file.fileno(), existing)
    except NoLocksError as error:
        yield Finding(
            "folders", name, "warning", f"{folder}: {error.strerror}: what a run uses is not held",
            "move it to a local disk with PROJRUN_HOME or PROJRUN_CACHE_DIR",
        )  # fmt: skip
    except OSError as error:
        remedy = _FREE if error.errno in (errno.ENOSPC, errno.EDQUOT) else _own_folder(name)
        yield Finding("folders", name, "broken", f"{existing}: {error.strerror}", remedy)
    else:
        there = "" if existing == folder else ", not made yet"
        yield Finding("folders", name, "ok", f"{folder}, writable{there}")
    device = existing.stat().st_dev
    if device not in devices:
        devices.add(device)
        yield _look_at_disk(existing)


def _own_folder(name: str) -> str:
    return (
        f"set {'PROJRUN_HOME' if name == 'data' else 'PROJRUN_CACHE_DIR'} to a folder that you may write to"
    )


def _look_at_disk(folder: Path) -> Finding:
    free, files = shutil.disk_usage(folder).free, os.statvfs(folder)
    text = f"{size_text(free)} free at {folder}"
    if files.f_files and files.f_favail < 1000:
        return Finding("folders", "disk", "broken", f"{text}, and only {files.f_favail} more files", _FREE)
    if free < _NONE:
        return Finding("folders", "disk", "broken", text, _FREE)
    return Finding(
        "folders", "disk", "ok" if free >= _LITTLE else "warning", text, "" if free >= _LITTLE else _FREE
    )


def _look_at_leftovers(places: Directories) -> Iterator[Finding]:
    waiting = waiting_runs(places.active)
    over = [run for run in waiting if not run.active]
    active = len(waiting) - len(over)
    if over:
        yield Finding(
            "leftovers", "runs", "warning",
            f"{count_text(len(over), 'run')} whose process is gone, with something to deliver",
            "`projrun sync` delivers it, `projrun runs reap` ends runs that look alive",
        )  # fmt: skip
    else:
        yield Finding("leftovers", "runs", "ok", f"{active} active, none of a dead process")
    try:
        entries = [
            *ContentCache(places.environments).entries(), *ContentCache(checkouts(places.cache)).entries(),
        ]  # fmt: skip
    except OSError as error:
        yield failed("leftovers", "cache", error)
        return
    left = [entry for entry in entries if entry.state in ("unfinished", "broken")]
    if left:
        text = f"{count_text(len(left), 'entry', 'entries')} of killed builds and fetches"
        yield Finding("leftovers", "cache", "warning", text, "`projrun gc` removes them")
    else:
        yield Finding(
            "leftovers", "cache", "ok", f"{count_text(len(entries), 'entry', 'entries')}, all whole"
        )
