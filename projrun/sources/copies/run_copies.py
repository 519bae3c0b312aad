"""The runs' own copies of checkouts: no other run sees what a run does to its copy.

A copy is a held folder (`projrun.cache.locked_folders`), and its lock file says what it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from projrun.cache.locked_folders import held_file, lock_file, new_name, release, remove_held
from projrun.errors import SourceError
from projrun.sources.copies.tree import copy_tree

CopyFacts = Mapping[str, str | int | None]
"""`source`, `commit` or `digest`, `cached`, `created`; once it is kept `kept` (why) and `run_id`."""


def make_copy(tree: Path, copies_directory: Path, facts: CopyFacts | None = None) -> Path:
    """A copy of a cached checkout in a new folder that only its owner may enter, held until this process ends.

    Raises SourceError where the folder cannot be written; an interrupted copy leaves nothing.
    """
    try:
        copy = new_name(copies_directory)
        try:
            copy_tree(tree, copy)
            copy.chmod(0o700)
            _describe(copy, {**(facts or {}), "cached": str(tree), "created": int(time.time())})
        except BaseException:
            remove_held(copy)
            raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise SourceError(
            f"cannot copy the checkout into {copies_directory}: {error.strerror}{where}",
            hint="free some space, or set PROJRUN_CACHE_DIR to a folder that you own, with free space",
        ) from error
    return copy


def keep_copy(copy: Path, reason: str, run_id: str) -> None:
    """Leave a copy of this process to the user, and note why for `projrun cache`."""
    with suppress(OSError):  # a full disk: it stays, without a note
        _describe(copy, {**read_facts(copy), "kept": reason, "run_id": run_id})
    release(copy)


def read_facts(copy: Path) -> dict[str, object]:
    """What is known of a copy; empty for one that was not completed."""
    try:
        facts = json.loads(lock_file(copy).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _describe(copy: Path, facts: Mapping[str, object]) -> None:
    file = held_file(copy)
    if file is not None:
        file.seek(0)
        file.write(json.dumps(facts))
        file.truncate()
        file.flush()
