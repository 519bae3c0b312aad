from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError, SourceError
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.git.wanted import Wanted, web_versions
from projrun.sources.options import FetchOptions
from tests.sources.git_servers import GitServer, Repository, git


@pytest.fixture
def options(tmp_path: Path, environ: dict[str, str]) -> FetchOptions:
    """Fetching into a cache of the test's own."""
    return FetchOptions(tmp_path / "cache", environ, tmp_path, own_copy=False)


@pytest.mark.parametrize(
    ("web_path", "wanted"),
    [
        ("main", [Wanted("main", "")]),
        ("a/b/c", [Wanted("a/b/c", ""), Wanted("a/b", "c"), Wanted("a", "b/c")]),
        ("main//x/", [Wanted("main/x", ""), Wanted("main", "x")]),
        ("v1/..", [Wanted("v1", "..")]),
        ("v1/a.lock/b c", [Wanted("v1", "a.lock/b c")]),
    ],
)
def test_the_longest_name_comes_first(web_path: str, wanted: list[Wanted]) -> None:
    assert list(web_versions(web_path)) == wanted


@pytest.mark.parametrize("web_path", ["--upload-pack=x/y", "..", "a..b/c", "/", "a~1"])
def test_what_can_be_no_name(web_path: str) -> None:
    with pytest.raises(RequestError, match="not a branch, tag or commit"):
        web_versions(web_path)


def test_a_long_path_is_not_asked_for_whole() -> None:
    assert len(web_versions("a/" * 5000)) == 20


@pytest.mark.parametrize(
    ("web_path", "version", "subdirectory", "commit"),
    [
        ("main", "main", "", "third"),
        ("main/examples/train", "main", "examples/train", "third"),
        ("v1/examples", "v1", "examples", "first"),
        ("team/topic/other", "team/topic", "other", "feature"),
        ("team/topic/examples/train", "team/topic/examples", "train", "second"),
        ("{second}/examples", "{second}", "examples", "second"),
        ("{short}/examples", "{short}", "examples", "second"),
        ("HEAD/examples", "HEAD", "examples", "third"),
    ],
)
def test_a_web_address(
    server: GitServer,
    repository: Repository,
    options: FetchOptions,
    web_path: str,
    version: str,
    subdirectory: str,
    commit: str,
) -> None:
    bare = server.root / "repository.git"
    hashes = {**repository._asdict(), "short": repository.second[:8]}
    git(bare, "branch", "team/topic", repository.feature, environ=repository.environ)
    git(bare, "tag", "-a", "-m", "x", "team/topic/examples", repository.second, environ=repository.environ)
    path = web_path.format(**hashes)
    fetched = fetch_repository(server.url("repository.git"), None, options, web_path=path)
    assert (fetched.version, fetched.subdirectory) == (version.format(**hashes), subdirectory)
    assert fetched.commit == hashes[commit]
    assert (fetched.tree / "data.txt").read_text() == commit
    server.requests.clear()
    again = fetch_repository(server.url("repository.git"), None, options, web_path=path)
    assert again == fetched
    assert len(server.requests) == (0 if commit == "second" and "team" not in path else 2)
    offline = options._replace(offline=True)
    told = fetch_repository(server.url("repository.git"), None, offline, web_path=path)
    assert told._replace(notes=()) == fetched


def test_a_web_address_of_nothing(server: GitServer, options: FetchOptions) -> None:
    with pytest.raises(SourceError, match="has no branch, tag or commit 'mainn'; did you mean 'main'"):
        fetch_repository(server.url("repository.git"), None, options, web_path="mainn/examples")


def test_names_in_other_places_do_not_count(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    """`git ls-remote` matches the ends of names."""
    bare = server.root / "repository.git"
    for name in ("refs/notes/refs/heads/topic", "refs/heads/other/topic", "refs/pull/1/topic"):
        git(bare, "update-ref", name, repository.first, environ=repository.environ)
    with pytest.raises(SourceError, match="has no branch, tag or commit 'topic'"):
        fetch_repository(server.url("repository.git"), "topic", options)


def test_a_branch_that_moves_while_it_is_fetched(
    server: GitServer, repository: Repository, options: FetchOptions, tmp_path: Path
) -> None:
    """An old server gives out tips alone: the commit that was asked for is none any more, it has to be asked again."""
    server.protocol_2 = False
    bare, git_binary = server.root / "repository.git", tmp_path / "bin" / "git"
    git_binary.parent.mkdir()
    # Between the two questions somebody pushes with --force, and what was there before is gone.
    git_binary.write_text(
        f"""#!/bin/sh
export PATH={repository.environ["PATH"]}
git "$@" || exit
if [ "$1" = ls-remote ] && [ ! -e {tmp_path}/moved ]; then
    touch {tmp_path}/moved
    unset GIT_DIR
    git -C {bare} update-ref refs/heads/main {repository.feature}
fi
"""
    )
    git_binary.chmod(0o755)
    environ = {**options.environ, "PATH": f"{git_binary.parent}:{options.environ['PATH']}"}
    fetched = fetch_repository(server.url("repository.git"), "main", options._replace(environ=environ))
    assert fetched.commit == repository.feature
    assert (tmp_path / "moved").exists()


@pytest.mark.processes
def test_a_local_repositorys_own_remote(
    repository: Repository, options: FetchOptions, tmp_path: Path
) -> None:
    """What it knows of its remote's branches can be asked for, as with `git checkout`."""
    git(tmp_path, "clone", "--quiet", str(repository.path), "clone", environ=repository.environ)
    fetched = fetch_repository((tmp_path / "clone").as_uri(), "feature", options)
    assert (fetched.commit, fetched.branch) == (repository.feature, "feature")


@pytest.mark.parametrize(
    ("version", "commit", "branch"),
    [
        ("refs/heads/main", "third", "main"),
        ("refs/heads/topic/v1", "feature", "topic/v1"),
        ("refs/tags/v1", "first", None),
        ("refs/pull/12/head", "feature", None),
    ],
)
def test_a_full_reference(
    server: GitServer,
    repository: Repository,
    options: FetchOptions,
    version: str,
    commit: str,
    branch: str | None,
) -> None:
    """As `$GITHUB_REF` holds it."""
    bare = server.root / "repository.git"
    for name in ("refs/pull/12/head", "refs/heads/topic/v1"):
        git(bare, "update-ref", name, repository.feature, environ=repository.environ)
    fetched = fetch_repository(server.url("repository.git"), version, options)
    assert (fetched.commit, fetched.branch) == (repository._asdict()[commit], branch)
    assert (fetched.tree / "data.txt").read_text() == commit
    offline = fetch_repository(server.url("repository.git"), version, options._replace(offline=True))
    assert offline._replace(notes=()) == fetched


def test_a_full_reference_is_never_a_part_of_a_name(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    git(
        server.root / "repository.git",
        "branch",
        "refs/heads/topic",
        repository.first,
        environ=repository.environ,
    )
    with pytest.raises(SourceError, match="has no branch, tag or commit 'refs/heads/topic'"):
        fetch_repository(server.url("repository.git"), "refs/heads/topic", options)


def test_a_tag_takes_precedence_over_a_branch_of_its_name(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    url = server.url("repository.git")
    git(server.root / "repository.git", "branch", "v1", repository.third, environ=repository.environ)
    fetched = fetch_repository(url, "v1", options)
    assert (fetched.commit, fetched.branch) == (repository.first, None)
    assert fetched.warnings == (
        f"'v1' is a tag and a branch of {url}: using the tag; refs/heads/v1 is the branch",
    )
    branch = fetch_repository(url, "refs/heads/v1", options)
    assert (branch.commit, branch.branch, branch.warnings) == (repository.third, "v1", ())
