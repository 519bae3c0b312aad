"""What goes over the wire: to a real git server with 1,000 commits and 200 MB of history."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.sources.git_servers import GitServer, serving
from tests.support.long_history import LongHistory
from tests.support.source_bench import Person, files_of, new_person, tree_of
from tests.support.wire import Wire

pytestmark = pytest.mark.integration

QUESTION = 2_000
"""Bytes of one more question for the branches: which commit a branch is at is asked before what to fetch is known."""


@pytest.fixture
def url(wire: Wire) -> str:
    """The long history's address."""
    return f"http://{wire.address}/long.git"


def test_the_tip_costs_no_more_than_a_clone_of_depth_1(
    url: str, wire: Wire, long: LongHistory, person: Person, tmp_path: Path
) -> None:
    clone = ["git", "clone", "--quiet", "--depth=1", url, str(tmp_path / "clone")]
    subprocess.run(clone, check=True)
    cloned = wire.passed
    assert cloned < long.size() / 50, "the server gave more than the tip"
    wire.reset()
    assert "version 999\n" in person.run(url).check().stdout
    assert wire.passed <= cloned + QUESTION


@pytest.mark.parametrize("length", [40, 10])
def test_a_commit_that_is_cached_needs_no_network(
    length: int, url: str, wire: Wire, long: LongHistory, person: Person
) -> None:
    version = long.tip[:length]
    person.run(url, "--version", version).check()
    assert wire.connections
    wire.reset()
    again = person.run(url, "--version", version).check()
    assert "version 999\n" in again.stdout
    assert wire.connections == 0


def test_a_branch_is_asked_for_and_not_fetched_again(
    url: str, git_server: GitServer, person: Person, wire: Wire
) -> None:
    for arguments in ([], ["--version", "main"]):
        person.run(url, *arguments).check()
        git_server.requests.clear()
        wire.reset()
        assert "version 999\n" in person.run(url, *arguments).check().stdout
        assert set(git_server.requests) == {"refs /long.git/info/refs", "refs /long.git/git-upload-pack"}
        assert len(git_server.requests) == 2, "one `git ls-remote`"


@pytest.mark.parametrize("number", [3, 500])
def test_an_old_commit_by_its_short_hash(
    number: int, url: str, wire: Wire, long: LongHistory, person: Person
) -> None:
    commit = long.commits[number]
    done = person.run(url, "--version", commit[:8], "--json").check()
    assert f"version {number}\n" in done.stderr
    assert wire.passed < long.size() / 20, "the whole history was fetched"
    (tree,) = person.complete_checkouts()
    assert files_of(tree, os.environ) == tree_of(long.path, commit, os.environ)


def test_an_old_commit_after_the_tip(url: str, wire: Wire, long: LongHistory, person: Person) -> None:
    person.run(url).check()
    wire.reset()
    assert "version 700\n" in person.run(url, "--version", long.commits[700]).check().stdout
    assert wire.passed < long.size() / 50


def test_offline_with_the_server_stopped(git_server: GitServer, long: LongHistory, person: Person) -> None:
    wire = Wire(git_server.server_address[1])
    url = f"http://{wire.address}/long.git"
    with serving(wire):
        person.run(url).check()
    for arguments in ([], ["--version", "main"], ["--version", long.tip], ["--version", long.tip[:9]]):
        done = person.run(url, "--offline", *arguments).check()
        assert "version 999\n" in done.stdout
        assert "offline" in done.stderr.lower()
    assert person.run(url).returncode == 3, "only where the network was not asked for"
    missing = person.run(url, "--offline", "--version", long.commits[5])
    assert missing.returncode == 3
    assert "offline" in missing.stderr
    stranger = new_person(person.home / "stranger").run(url, "--offline")
    assert stranger.returncode == 3
    assert "offline" in stranger.stderr
