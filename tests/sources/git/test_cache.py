"""What is asked of a server when a commit is cached, when it is not, and when nothing may be asked."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from projrun.cache.entries import ContentCache
from projrun.errors import SourceError
from projrun.settings import Setting
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.options import FetchOptions
from projrun.sources.policy import TrustPolicy
from tests.sources.conftest import Fetch
from tests.sources.git_servers import GitServer, Repository, git


@pytest.fixture
def url(server: GitServer) -> str:
    """The served repository."""
    return server.url("repository.git")


@pytest.fixture
def options(tmp_path: Path, environ: dict[str, str]) -> FetchOptions:
    """Fetching into the cache that `fetched` uses, without a copy."""
    return FetchOptions(tmp_path / "cache", environ, tmp_path, own_copy=False)


def test_a_cached_commit_needs_no_git_at_all(
    server: GitServer, url: str, repository: Repository, options: FetchOptions
) -> None:
    first = fetch_repository(url, None, options)
    server.requests.clear()
    without_git = options._replace(environ={**options.environ, "PATH": ""})
    assert fetch_repository(url, repository.third, without_git).tree == first.tree
    assert fetch_repository(url, repository.third.upper(), without_git).commit == repository.third
    assert server.requests == []


@pytest.mark.parametrize("version", [None, "main", "v1"])
def test_a_cached_branch_is_asked_for_once(
    server: GitServer, url: str, options: FetchOptions, version: str | None
) -> None:
    first = fetch_repository(url, version, options)
    assert server.packs == 1
    server.requests.clear()
    assert fetch_repository(url, version, options) == first
    assert [request.partition(" ")[0] for request in server.requests] == [
        "refs",
        "refs",
    ]  # of one `ls-remote`
    assert server.packs == 0


def test_a_short_hash_is_asked_for_once(
    server: GitServer, url: str, repository: Repository, options: FetchOptions
) -> None:
    short = repository.second[:7]
    first = fetch_repository(url, short, options)
    server.requests.clear()
    assert fetch_repository(url, short, options._replace(environ={"PATH": ""})) == first
    assert server.requests == []


def test_a_very_short_hash_is_looked_up_again(
    server: GitServer, url: str, repository: Repository, options: FetchOptions
) -> None:
    fetch_repository(url, repository.second[:6], options)
    server.requests.clear()
    assert fetch_repository(url, repository.second[:6], options).commit == repository.second
    # Not only an `ls-remote`: by now there may be another commit that starts so.
    assert len(server.requests) > 2


def test_a_short_hash_of_a_tag_is_asked_for_again(
    server: GitServer, url: str, repository: Repository, options: FetchOptions
) -> None:
    short = repository.second[:7]
    bare = server.root / "repository.git"
    git(bare, "tag", short, repository.first, environ=repository.environ)
    assert fetch_repository(url, short, options).commit == repository.first
    git(bare, "tag", "--force", short, repository.third, environ=repository.environ)
    assert fetch_repository(url, short, options).commit == repository.third


def test_a_commit_is_fetched_once_for_all_its_names(
    server: GitServer, url: str, repository: Repository, options: FetchOptions, fetched: Fetch
) -> None:
    bare = server.root / "repository.git"
    git(bare, "branch", "release/1.0", "main", environ=repository.environ)
    trees = {fetch_repository(url, name, options).tree for name in (None, "main", "release/1.0")}
    assert len(trees) == 1
    assert server.packs == 1
    for name in ("main", "release/1.0"):
        root = fetched(url, name).root
        assert git(root, "symbolic-ref", "--short", "HEAD", environ=repository.environ) == name
        assert git(root, "status", "--porcelain", environ=repository.environ) == ""


def test_runs_do_not_share_a_copy(
    url: str, repository: Repository, options: FetchOptions, fetched: Fetch
) -> None:
    one, other = fetched(url), fetched(url)
    (one.root / "data.txt").write_text("changed")
    assert (other.root / "data.txt").read_text() == "third"
    assert (fetch_repository(url, None, options).tree / "data.txt").read_text() == "third"


def test_only_what_is_missing_is_fetched(
    server: GitServer, url: str, repository: Repository, options: FetchOptions, checkouts: Path
) -> None:
    fetch_repository(url, None, options)
    server.requests.clear()
    (entry,) = ContentCache(checkouts, probe="tree").entries()
    shutil.rmtree(entry.path)
    assert (fetch_repository(url, repository.third, options).tree / "data.txt").read_text() == "third"
    assert server.requests == []  # the mirror has it


def test_a_moved_branch_is_fetched_again(
    server: GitServer, url: str, repository: Repository, options: FetchOptions
) -> None:
    assert fetch_repository(url, "main", options).commit == repository.third
    git(
        server.root / "repository.git",
        "update-ref",
        "refs/heads/main",
        repository.second,
        environ=options.environ,
    )
    assert fetch_repository(url, "main", options).commit == repository.second


class TestOffline:
    """`--offline` uses what is cached, and says so."""

    def test_versions_that_were_fetched(
        self, server: GitServer, url: str, repository: Repository, options: FetchOptions
    ) -> None:
        for version in (None, "v1", "feature"):
            fetch_repository(url, version, options)
        server.requests.clear()
        offline = options._replace(offline=True)
        told = {
            version: fetch_repository(url, version, offline).notes
            for version in (None, "main", "v1", "feature", repository.third, repository.feature[:7])
        }
        assert server.requests == []
        for version, commit, name in (
            (None, repository.third, "branch main"),
            ("main", repository.third, "branch main"),
            ("v1", repository.first, "v1"),
            ("feature", repository.feature, "branch feature"),
        ):
            (note,) = told[version]
            expected = f"offline: using {url} at {commit} ({name} as of "
            assert note.startswith(expected)
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d\)", note.removeprefix(expected))
        assert told[repository.third] == (f"offline: using {url} at {repository.third}",)
        assert told[repository.feature[:7]] == (f"offline: using {url} at {repository.feature}",)

    def test_what_was_last_known(
        self, server: GitServer, url: str, repository: Repository, options: FetchOptions, tmp_path: Path
    ) -> None:
        fetch_repository(url, "main", options)
        bare = server.root / "repository.git"
        git(bare, "update-ref", "refs/heads/main", repository.second, environ=options.environ)
        offline = options._replace(offline=True)
        assert fetch_repository(url, "main", offline).commit == repository.third
        for file in (tmp_path / "cache" / "repositories").glob("*/versions/*"):
            os.utime(file, (0, 86400 * 366))
        assert "as of 1971-01-0" in fetch_repository(url, "main", offline).notes[0]

    @pytest.mark.parametrize("version", [None, "v1", "{second}", "{short}", "{shorter}"])
    def test_what_was_never_fetched(
        self, server: GitServer, url: str, repository: Repository, options: FetchOptions, version: str | None
    ) -> None:
        fetch_repository(url, "feature", options)
        server.requests.clear()
        given = version and version.format(
            second=repository.second, short=repository.second[:7], shorter=repository.second[:5]
        )
        with pytest.raises(SourceError, match="--offline contacts no server") as raised:
            fetch_repository(url, given, options._replace(offline=True))
        assert raised.value.hint == "run once without --offline"
        assert server.requests == []

    @pytest.mark.processes
    def test_a_repository_of_this_machine_is_no_server(
        self, repository: Repository, options: FetchOptions
    ) -> None:
        fetched = fetch_repository(repository.path.as_uri(), "v1", options._replace(offline=True))
        assert (fetched.commit, fetched.notes) == (repository.first, ())


class TestPinned:
    """`require-pinned` of the user's policy."""

    def test_only_full_commits_are_fetched(
        self, server: GitServer, url: str, repository: Repository, options: FetchOptions
    ) -> None:
        pinned = options._replace(policy=TrustPolicy(pinned=[Setting("yes", "config.toml")]))
        for version in (None, "main", "v1", repository.third[:12]):
            with pytest.raises(SourceError, match="sets require-pinned"):
                fetch_repository(url, version, pinned)
        with pytest.raises(SourceError, match="require-pinned"):
            fetch_repository(url, None, pinned, web_path="main/examples")
        assert server.requests == []
        assert fetch_repository(url, repository.third, pinned).commit == repository.third
        web_path = f"{repository.third}/examples"
        assert fetch_repository(url, None, pinned, web_path=web_path).subdirectory == "examples"
