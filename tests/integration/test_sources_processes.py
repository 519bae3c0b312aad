"""Many processes on one cache, and processes that are killed: what a later run uses is always whole."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from projrun.cache import ContentCache
from projrun.sources.places import checkouts
from tests.sources.git_servers import GitServer
from tests.support.commands import run_projrun
from tests.support.long_history import FILE_SIZE, FILES, LongHistory
from tests.support.source_bench import Person, files_of, tree_of
from tests.support.wire import Wire

pytestmark = pytest.mark.integration

KILLS = 20


@pytest.fixture
def url(wire: Wire) -> str:
    """The long history's address."""
    return f"http://{wire.address}/long.git"


def test_eight_runs_at_once_fetch_once(url: str, git_server: GitServer, wire: Wire, person: Person) -> None:
    wire.bytes_per_second = 4e6  # long enough that all of them have to wait
    runs = [person.start(url) for _ in range(8)]
    for run in runs:
        output, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
        assert "version 999\n" in output
    assert git_server.packs == 1
    assert len(person.complete_checkouts()) == 1


def test_a_fetch_that_is_killed_leaves_nothing_that_a_later_run_uses(
    url: str, wire: Wire, long: LongHistory, person: Person
) -> None:
    """Each one on a commit of its own, since one that was fetched is not fetched again."""
    wire.bytes_per_second = FILES * FILE_SIZE / 0.8  # a fetch takes 0.8 s more
    moments = random.Random(4)
    numbers = range(20, 20 + 40 * KILLS, 40)
    for number in numbers:
        _kill(person.start(url, "--version", long.commits[number]), moments.uniform(0.15, 1.6))
    _check_what_is_complete(person, long)
    wire.bytes_per_second = None
    for number in numbers:
        run = person.run(url, "--version", long.commits[number])
        assert f"version {number}\n" in run.check().stdout
    assert len(_check_what_is_complete(person, long)) == KILLS
    _check_that_no_remains_are_left(person, long)


def _kill(run: subprocess.Popen[str], after: float) -> None:
    time.sleep(after)
    run.kill()
    run.communicate(timeout=60)


def _check_what_is_complete(person: Person, long: LongHistory) -> list[Path]:
    trees = person.complete_checkouts()
    by_number = {f"version {number}\n": commit for number, commit in enumerate(long.commits)}
    for tree in trees:
        commit = by_number[(tree / "version.txt").read_text()]
        assert files_of(tree, os.environ) == tree_of(long.path, commit, os.environ)
    return trees


def _check_that_no_remains_are_left(person: Person, long: LongHistory) -> None:
    """The mirror holds what was fetched and little more, and no unfinished checkout or copy is left."""
    run_projrun("cache", "prune", environ=person.environ).check()
    states = [entry.state for entry in ContentCache(checkouts(person.cache), probe="tree").entries()]
    assert set(states) <= {"ready"}
    assert person.remaining_copies() == []
    repositories = person.cache / "repositories"
    held = sum(file.lstat().st_size for file in repositories.rglob("*") if file.is_file())
    assert held < 2 * (FILES + 2 * 40) * FILE_SIZE * KILLS, "what killed fetches left was not removed"
    assert not list(repositories.rglob("tmp_*"))
