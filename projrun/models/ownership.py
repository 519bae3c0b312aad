"""Which models are this user's own, so that their code needs no `--trust`: the one rule, as docs/models.md says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from projrun.cache.ownership import foreign_parent_reason, foreign_reason
from projrun.tracking.parts import find_part
from projrun.tracking.runs import LocalStore, RunStore
from projrun.tracking.sql.served import was_served
from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.sql.store import artifact_root


def is_local(store: RunStore) -> bool:
    """Whether it is on this machine: asking it contacts no server. Others may write to it all the same."""
    return find_part(store, LocalStore) is not None


def is_own(folder: Path, asked: Sequence[RunStore]) -> bool:
    """Whether this user's own store led to a folder that such a store keeps.

    `asked` is the store that had the address, and those that it may have led to. What is less sure than that is no.
    """
    roots = [_own_root(store) for store in asked]
    if not roots or roots[0] is None:
        return False
    real = folder.resolve()
    return any(root is not None and real.is_relative_to(root.resolve()) for root in roots)


def _own_root(store: RunStore) -> Path | None:
    """The folder of the artifacts of a store that no one else writes to; None for any other store."""
    engine = find_part(store, SqliteEngine)
    if engine is None or was_served(engine.path):
        return None
    root = artifact_root(engine.path)
    try:
        foreign = (
            foreign_parent_reason(engine.path.parent) or foreign_reason(engine.path) or foreign_reason(root)
        )
    except OSError:
        return None
    return None if foreign else root
