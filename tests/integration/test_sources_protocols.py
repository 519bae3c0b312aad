"""The same project over git:// and ssh://: cold, by branch, by short hash, old, offline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.git_daemon import git_daemon
from tests.support.long_history import LongHistory
from tests.support.source_bench import Person, files_of, tree_of
from tests.support.ssh_server import ssh_server
from tests.support.wire import Wire, wire_to

pytestmark = pytest.mark.integration


Served = tuple[Wire, str, dict[str, str]]
"""The wire, the long history's address, and the variables that lead there."""


@contextmanager
def _daemon(folder: Path) -> Iterator[Served]:
    with git_daemon(folder, os.environ) as port, wire_to(port) as wire:
        yield wire, f"git://{wire.address}/long.git", {}


@contextmanager
def _ssh(folder: Path) -> Iterator[Served]:
    with ssh_server(folder / "ssh") as server, wire_to(server.port) as wire:
        # The wire has a port of its own, which the key is not known for.
        command = f"{server.variables['GIT_SSH_COMMAND']} -o HostKeyAlias=[127.0.0.1]:{server.port}"
        yield wire, f"ssh://{server.user}@{wire.address}{folder}/long.git", {"GIT_SSH_COMMAND": command}


@pytest.mark.parametrize("serve", [_daemon, _ssh])
def test_a_project(
    serve: Callable[[Path], AbstractContextManager[Served]], tmp_path: Path, long: LongHistory, person: Person
) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "long.git").symlink_to(long.path)
    with serve(folder) as (wire, url, variables):
        _check(url, wire, long, person._replace(environ={**person.environ, **variables}))


def _check(url: str, wire: Wire, long: LongHistory, person: Person) -> None:
    assert "version 999\n" in person.run(url).check().stdout
    fetched = wire.passed
    assert fetched < long.size() / 50
    wire.reset()
    assert "version 999\n" in person.run(url, "--version", long.tip).check().stdout
    assert wire.connections == 0
    for arguments in ([], ["--version", long.tip[:10]], ["--version", long.tip[:10]]):
        assert "version 999\n" in person.run(url, *arguments).check().stdout
    assert wire.connections == 2, "the branch, and whether there is one of the hash's name; that once"
    assert wire.passed < fetched / 50, "more than a list of branches"
    assert "version 300\n" in person.run(url, "--version", long.commits[300][:8]).check().stdout
    assert wire.passed < long.size() / 20
    _check_trees(long, person)
    wire.reset()
    offline = person.run(url, "--offline").check()
    assert "version 999\n" in offline.stdout
    assert "offline" in offline.stderr
    assert wire.connections == 0


def _check_trees(long: LongHistory, person: Person) -> None:
    trees = {(tree / "version.txt").read_text(): tree for tree in person.complete_checkouts()}
    assert set(trees) == {"version 300\n", "version 999\n"}
    for number in (300, 999):
        wanted = tree_of(long.path, long.commits[number], os.environ)
        assert files_of(trees[f"version {number}\n"], os.environ) == wanted
