"""The same project over git:// and ssh://, in short."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.git_daemon import git_daemon
from tests.support.long_history import LongHistory
from tests.support.source_bench import Person, files_of, tree_of
from tests.support.wire import Wire, wire_to

pytestmark = pytest.mark.integration


@contextmanager
def _git(root: Path) -> Iterator[tuple[Wire, str]]:
    with git_daemon(root, os.environ) as port, wire_to(port) as wire:
        yield wire, f"git://{wire.address}"


def test_over_the_git_protocol(tmp_path: Path, long: LongHistory, person: Person) -> None:
    (tmp_path / "long.git").symlink_to(long.path)
    with _git(tmp_path) as (wire, address):
        _check(f"{address}/long.git", wire, long, person)


def _check(url: str, wire: Wire, long: LongHistory, person: Person) -> None:
    """Cold, by branch, by short hash, offline."""
    assert "version 999\n" in person.run(url).check().stdout
    fetched = wire.passed
    assert fetched < long.size() / 50
    wire.reset()
    assert "version 999\n" in person.run(url, "--version", long.tip[:10]).check().stdout
    assert wire.connections == 0
    person.run(url).check()
    assert 1 <= wire.connections <= 2
    assert wire.passed < fetched / 50, "more than a list of branches"
    assert "version 300\n" in person.run(url, "--version", long.commits[300][:8]).check().stdout
    assert wire.passed < long.size() / 20
    trees = {(tree / "version.txt").read_text(): tree for tree in person.complete_checkouts()}
    for number in (300, 999):
        wanted = tree_of(long.path, long.commits[number], os.environ)
        assert files_of(trees[f"version {number}\n"], os.environ) == wanted
    wire.reset()
    assert "version 999\n" in person.run(url, "--offline").check().stdout
    assert wire.connections == 0
