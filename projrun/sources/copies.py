"""The runs' own copies of checkouts: what a run does to its copy, no other run sees.

`COPIES/NAME` is a copy and `NAME.lock` beside it says what it is; the file is locked for as long as the run's
process lives, so whoever can lock it knows that no run works in the copy.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from projrun.errors import SourceError
from projrun.lease import is_locked, open_locked
from projrun.ownership import make_private
from projrun.sources.removal import remove_folder

CopyFacts = Mapping[str, str | int | None]
"""`source`, `commit` or `digest`, `cached`, `created`; once it is kept `kept` (why) and `run_id`."""

_TRIES = 5

_held: dict[Path, IO[str]] = {}
"""The lock files of this process's copies."""


def make_copy(tree: Path, copies_directory: Path, facts: CopyFacts | None = None) -> Path:
    """A copy of a cached checkout in a new folder that only its owner may enter, held until this process ends.

    Raises SourceError where the folder cannot be written; an interrupted copy leaves nothing.
    """
    from projrun.sources.tree_copy import copy_tree

    try:
        make_private(copies_directory)
        copy, file = _new_name(copies_directory)
        _held[copy] = file
        try:
            copy_tree(tree, copy)
            copy.chmod(0o700)
            _write(file, {**(facts or {}), "cached": str(tree), "created": int(time.time())})
        except BaseException:
            remove_copy(copy)
            raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise SourceError(
            f"cannot copy the checkout into {copies_directory}: {error.strerror}{where}",
            hint="free some space, or set PROJRUN_CACHE_DIR to a folder of yours on a disk with room",
        ) from error
    return copy


def remove_copy(copy: Path) -> bool:
    """Remove a copy of this process, or one that `take_copy` gave; whether it is gone."""
    gone = remove_folder(copy)
    if gone:
        lock_file(copy).unlink(missing_ok=True)
    _release(copy)
    return gone


def keep_copy(copy: Path, reason: str, run_id: str) -> None:
    """Leave a copy to the user, and note why for `projrun cache`."""
    file = _held.get(copy)
    if file is not None:
        with suppress(OSError):  # a full disk: it stays, without a note
            _write(file, {**read_facts(copy), "kept": reason, "run_id": run_id})
    _release(copy)


def take_copy(copy: Path) -> bool:
    """Hold a copy that no run works in any more, to remove it; False where one does, or it is gone."""
    try:
        file = open_locked(lock_file(copy), os.O_RDWR | os.O_CREAT)
    except OSError:
        return False
    if file is None:
        return False
    _held[copy] = file
    return True


def is_copy_in_use(copy: Path) -> bool:
    """Whether a run works in a copy; changes nothing."""
    return copy in _held or is_locked(lock_file(copy))


def sweep_copies(copies_directory: Path) -> None:
    """Remove the lock files whose copies are gone: of processes that were killed at that moment."""
    for file in copies_directory.glob("*.lock"):
        copy = file.with_suffix("")
        if not os.path.lexists(copy) and take_copy(copy):
            remove_copy(copy)


def read_facts(copy: Path) -> dict[str, object]:
    """What is known of a copy; empty for one that was not completed."""
    try:
        facts = json.loads(lock_file(copy).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def lock_file(copy: Path) -> Path:
    """The file beside a copy that a run's process holds."""
    return copy.with_name(f"{copy.name}.lock")


def _new_name(folder: Path) -> tuple[Path, IO[str]]:
    for _ in range(_TRIES):
        copy = folder / os.urandom(8).hex()
        file = open_locked(lock_file(copy), os.O_RDWR | os.O_CREAT | os.O_EXCL)
        if file is not None:  # else somebody who tidies up was there at that very moment
            return copy, file
    raise OSError(errno.ENOLCK, "files cannot be locked there")


def _write(file: IO[str], facts: Mapping[str, object]) -> None:
    file.seek(0)
    file.write(json.dumps(facts))
    file.truncate()
    file.flush()


def _release(copy: Path) -> None:
    file = _held.pop(copy, None)
    if file is not None:
        file.close()
