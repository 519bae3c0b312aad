from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.git.remote import Remote
from projrun.sources.options import FetchOptions
from tests.sources.git_servers import GitServer, Repository, git


@pytest.fixture
def options(tmp_path: Path, environ: dict[str, str]) -> FetchOptions:
    """Fetching into a cache of the test's own."""
    return FetchOptions(tmp_path / "cache", environ, tmp_path, own_copy=False)


def history_of(remote: Remote) -> Path:
    return remote.folder / "sha1-history.git"


def kinds(folder: Path, environ: dict[str, str]) -> set[str]:
    """Of the objects that a repository has."""
    listed = git(
        folder,
        "cat-file",
        "--batch-all-objects",
        "--batch-check=%(objecttype)",
        environ={**environ, "GIT_NO_LAZY_FETCH": "1"},
    )
    return set(listed.split())


@pytest.mark.parametrize("filters", [True, False])
def test_the_history_is_fetched_without_files_where_the_server_can(
    server: GitServer, repository: Repository, options: FetchOptions, environ: dict[str, str], filters: bool
) -> None:
    bare = server.root / "repository.git"
    git(bare, "config", "uploadpack.allowFilter", str(filters).lower(), environ=environ)
    remote = Remote(server.url("repository.git"), options)
    assert fetch_repository(remote.location, repository.second[:8], options).commit == repository.second
    expected = {"commit", "tag"} if filters else {"commit", "tag", "tree", "blob"}
    assert kinds(history_of(remote), environ) == expected
    known = git(remote.folder / "sha1.git", "rev-list", "--all", environ=environ)
    assert known == repository.second  # one commit with its files


def test_a_later_commit_is_found_too(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    url = server.url("repository.git")
    fetch_repository(url, repository.second[:8], options)
    (repository.path / "data.txt").write_text("later")
    repository.git("commit", "--quiet", "--all", "-m", "later")
    later = repository.git("rev-parse", "HEAD")
    repository.git("commit", "--quiet", "--allow-empty", "-m", "and then")
    repository.git("push", "--quiet", str(server.root / "repository.git"), "main")
    assert fetch_repository(url, later[:8], options).commit == later


def test_a_branch_that_makes_room_for_others(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    """`a` was a branch and is a folder of branches now."""
    url, bare = server.url("repository.git"), server.root / "repository.git"
    git(bare, "branch", "a", repository.feature, environ=repository.environ)
    fetch_repository(url, repository.second[:6], options)
    inode = history_of(Remote(url, options)).stat().st_ino
    git(bare, "branch", "-D", "a", environ=repository.environ)
    git(bare, "branch", "a/b", repository.first, environ=repository.environ)
    assert fetch_repository(url, repository.first[:6], options).commit == repository.first
    assert history_of(Remote(url, options)).stat().st_ino == inode, "it was fetched anew"


def test_a_commit_that_was_fetched_needs_no_history(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    remote = Remote(server.url("repository.git"), options)
    fetch_repository(remote.location, "feature", options)
    assert fetch_repository(remote.location, repository.feature[:7], options).commit == repository.feature
    assert not history_of(remote).exists()


def test_a_damaged_history_is_fetched_anew(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    remote = Remote(server.url("repository.git"), options)
    fetch_repository(remote.location, repository.second[:8], options)
    for file in history_of(remote).glob("objects/pack/*.pack"):
        file.chmod(0o600)
        file.write_bytes(b"")
    assert fetch_repository(remote.location, repository.first[:8], options).commit == repository.first


@pytest.mark.parametrize("length", [4, 8])
def test_one_that_no_commit_has(server: GitServer, options: FetchOptions, length: int) -> None:
    with pytest.raises(SourceError, match="has no branch, tag or commit 'dead") as raised:
        fetch_repository(server.url("repository.git"), "deadbeef"[:length], options)
    assert "on a branch or a tag" in raised.value.hint


@pytest.mark.parametrize("place", ["served", "local"])
def test_one_that_several_commits_have(
    server: GitServer, repository: Repository, options: FetchOptions, place: str
) -> None:
    # 1,500 commits: that no two share their first four digits has a chance of one in ten million.
    stream = "".join(f"commit refs/heads/many\ncommitter x <x> {n} +0000\ndata 0\n\n" for n in range(1500))
    bare = server.root / "repository.git"
    argv = ["git", "-C", str(bare), "fast-import", "--quiet"]
    subprocess.run(argv, input=stream.encode(), env=repository.environ, check=True)
    prefixes = [
        commit[:4] for commit in git(bare, "rev-list", "many", environ=repository.environ).splitlines()
    ]
    shared = next(prefix for number, prefix in enumerate(prefixes) if prefix in prefixes[:number])
    url = server.url("repository.git") if place == "served" else bare.as_uri()
    for _ in range(2):  # the second time the history is there
        with pytest.raises(SourceError, match="is ambiguous") as raised:
            fetch_repository(url, shared, options)
        assert raised.value.hint == "give more digits"
        assert raised.value.detail.count(shared) > 2


@pytest.mark.processes
def test_a_local_repositorys_history_is_not_copied(repository: Repository, options: FetchOptions) -> None:
    remote = Remote(repository.path.as_uri(), options)
    assert fetch_repository(remote.location, repository.second[:5], options).commit == repository.second
    assert not history_of(remote).exists()


@pytest.mark.processes
def test_a_local_repository_runs_nothing(
    repository: Repository, options: FetchOptions, tmp_path: Path
) -> None:
    """Not even what would fetch the commit that a tag of a partial clone names and that is not there."""
    text = f"object {'1' * 40}\ntype commit\ntag t\ntagger x <x@example.com> 0 +0000\n\nx\n"
    argv = ["git", "-C", str(repository.path), "hash-object", "-t", "tag", "-w", "--stdin"]
    done = subprocess.run(argv, input=text.encode(), env=repository.environ, check=True, capture_output=True)
    tag = done.stdout.decode().strip()
    marker = tmp_path / "executed"
    repository.git("config", "core.repositoryFormatVersion", "1")
    repository.git("config", "extensions.partialClone", "evil")
    for key, value in (("url", "."), ("promisor", "true"), ("uploadpack", f"touch {marker};")):
        repository.git("config", f"remote.evil.{key}", value)
    subprocess.run(
        ["git", "-C", str(repository.path), "rev-parse", f"{tag}^{{commit}}"],
        env={**repository.environ, "GIT_NO_LAZY_FETCH": "0"},
        capture_output=True,
        check=False,
    )
    assert marker.exists()  # what git does by itself
    marker.unlink()
    for environ in (options.environ, {**options.environ, "GIT_NO_LAZY_FETCH": "0"}):
        with pytest.raises(SourceError):
            fetch_repository(repository.path.as_uri(), tag[:8], options._replace(environ=environ))
    assert not marker.exists()


@pytest.mark.processes
def test_a_linked_work_tree(repository: Repository, options: FetchOptions, tmp_path: Path) -> None:
    """Its `.git` is a file."""
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked work"), "feature")
    url = (tmp_path / "linked work").as_uri()
    assert fetch_repository(url, repository.second[:5], options).commit == repository.second
    assert fetch_repository(url, "main", options).commit == repository.third
