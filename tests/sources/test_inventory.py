"""What the cache holds: nothing is taken from under a process that took it a moment ago."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from projrun.cache.contents import Limits
from projrun.cache.locked_folders import remove_held
from projrun.sources import inventory
from projrun.sources.copies.run_copies import make_copy
from projrun.sources.git.mirror_lock import mirror_lock
from projrun.sources.inventory import prune_holdings
from projrun.sources.places import copies, repositories

EVERYTHING = Limits(unused_seconds=-60)


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """After it nothing looks used: as for somebody who looked a moment too early."""

    def look_away() -> None:
        monkeypatch.setattr(inventory, "is_held", lambda folder: False)
        monkeypatch.setattr(inventory, "is_locked", lambda file: False)

    return look_away


def test_a_copy_that_a_run_took_just_now(tmp_path: Path, unseen: Callable[[], None]) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").touch()
    copy = make_copy(tmp_path / "tree", copies(tmp_path))
    unseen()
    pruned = prune_holdings(tmp_path, EVERYTHING, time.time())
    assert [candidate.item.entry.path for candidate in pruned.kept] == [copy]
    assert pruned.removed == ()
    assert (copy / "file").exists()
    remove_held(copy)


def test_a_repository_that_a_process_took_just_now(tmp_path: Path, unseen: Callable[[], None]) -> None:
    folder = repositories(tmp_path) / ("a" * 64)
    with mirror_lock(folder, nullcontext):
        folder.mkdir()
        (folder / "description.json").write_text("{}")
        unseen()
        pruned = prune_holdings(tmp_path, EVERYTHING, time.time())
        assert [candidate.item.entry.path for candidate in pruned.kept] == [folder]
        assert folder.exists()
    assert len(prune_holdings(tmp_path, EVERYTHING, time.time()).removed) == 1
    assert not folder.exists()
