"""Many processes on one cache, and processes that are killed: what a later run uses is always whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from projrun.cache.entries import ContentCache
from projrun.sources.places import checkouts
from tests.sources.git_servers import GitServer
from tests.support.commands import run_projrun
from tests.support.long_history import FILE_SIZE, FILES, LongHistory
from tests.support.source_bench import Person, files_of, tree_of
from tests.support.wire import Wire

pytestmark = pytest.mark.integration


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


@pytest.mark.parametrize("kills", [8, pytest.param(20, marks=pytest.mark.large)])
def test_a_fetch_that_is_killed_leaves_nothing_that_a_later_run_uses(
    url: str, wire: Wire, long: LongHistory, person: Person, kills: int
) -> None:
    """Each one on a commit of its own, since one that was fetched is not fetched again."""
    wire.bytes_per_second = FILES * FILE_SIZE / 0.9  # a fetch takes 0.9 s more
    moments = random.Random(4)
    numbers = range(20, 20 + 40 * kills, 40)
    for number in numbers:
        run = person.start(url, "--version", long.commits[number])
        time.sleep(moments.uniform(0.15, 1.2))
        # Every other time only the runner: its git goes on for a while, and the next run has to cope with it.
        _kill(run, [] if number % 80 == 20 else _descendants(run.pid))
    complete = _check_what_is_complete(person, long)
    assert len(complete) < kills / 2, "too late to interrupt a fetch"
    wire.bytes_per_second = None
    for number in numbers:
        run_again = person.run(url, "--version", long.commits[number])
        assert f"version {number}\n" in run_again.check().stdout
    assert len(_check_what_is_complete(person, long)) == kills
    _check_that_no_remains_are_left(person, kills)


def _kill(run: subprocess.Popen[str], others: list[int]) -> None:
    run.kill()
    for process in others:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    run.communicate(timeout=60)


def _descendants(process: int) -> list[int]:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:  # it has just ended
        return []
    return [found for child in map(int, children) for found in (child, *_descendants(child))]


def _check_what_is_complete(person: Person, long: LongHistory) -> list[Path]:
    trees = person.complete_checkouts()
    by_number = {f"version {number}\n": commit for number, commit in enumerate(long.commits)}
    for tree in trees:
        commit = by_number[(tree / "version.txt").read_text()]
        assert files_of(tree, os.environ) == tree_of(long.path, commit, os.environ)
    return trees


def _check_that_no_remains_are_left(person: Person, fetches: int) -> None:
    """What killed fetches left went with the next ones, the rest with `projrun cache prune`."""
    run_projrun("cache", "prune", environ=person.environ).check()
    states = {entry.state for entry in ContentCache(checkouts(person.cache), probe="tree").entries()}
    assert states == {"ready"}
    assert person.remaining_copies() == []
    mirrors = person.cache / "repositories"
    assert list(mirrors.glob("*/*.git/HEAD"))
    for pattern in ("tmp_*", "*.lock", "*.damaged"):
        assert not list(mirrors.glob(f"*/*.git/**/{pattern}"))
    held = sum(file.lstat().st_size for file in mirrors.rglob("*") if file.is_file())
    assert held < 1.1 * fetches * FILES * FILE_SIZE, "more than what was asked for"
