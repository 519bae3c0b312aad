"""Repositories and servers for the tests of sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projrun.sources.checkout import Checkout
from projrun.sources.fetch import fetch
from projrun.sources.options import FetchOptions
from tests.sources.git_servers import GitServer, Repository, make_bare, make_repository, serving


@pytest.fixture
def environ() -> dict[str, str]:
    """The guarded environment of the test, with somebody to commit as and no settings of the machine's."""
    person = {
        f"GIT_{role}_{field}": "tester@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for field in ("NAME", "EMAIL")
    }
    return {**os.environ, **person, "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture
def repository(tmp_path: Path, environ: dict[str, str]) -> Repository:
    """A work tree with a history."""
    return make_repository(tmp_path / "work" / "repository", environ)


@pytest.fixture
def server(tmp_path: Path, repository: Repository, environ: dict[str, str]) -> Iterator[GitServer]:
    """A git server that has the repository as `repository.git`."""
    root = tmp_path / "served"
    make_bare(root / "repository.git", repository)
    served = GitServer(root, environ)
    with serving(served):
        yield served


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    """Where checkouts are made; it does not exist yet."""
    return tmp_path / "cache" / "checkouts"


Fetch = Callable[..., Checkout]


@pytest.fixture
def fetched(tmp_path: Path, checkouts: Path, environ: dict[str, str]) -> Fetch:
    """`fetch` in the test's environment, called from `tmp_path`."""

    def call(uri: object, version: str | None = None, **more: str) -> Checkout:
        return fetch(str(uri), version, FetchOptions(checkouts.parent, {**environ, **more}, tmp_path))

    return call
