"""Web addresses of hosting sites, and the short form for GitHub."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.sources.address import read_address
from projrun.sources.hosting import WebAddress, expand_shorthand, read_web_address
from projrun.sources.uri import ProjectUri, parse_project_uri
from tests.sources.conftest import Fetch
from tests.sources.git_servers import GitServer, Repository


def read(location: str) -> WebAddress | None:
    return read_web_address(location, read_address(location))


@pytest.mark.parametrize(
    ("location", "repository", "path"),
    [
        ("https://github.com/o/r/tree/main", "https://github.com/o/r", "main"),
        ("https://github.com/o/r/tree/main/a/b/", "https://github.com/o/r", "main/a/b"),
        ("https://GitHub.com/o/r/tree/feature/x//a?tab=readme", "https://GitHub.com/o/r", "feature/x/a"),
        ("https://www.github.com/o/r.git/tree/v1.2", "https://github.com/o/r", "v1.2"),
        ("https://me:pw@www.github.com/o/r/tree/v1", "https://me:pw@github.com/o/r", "v1"),
        ("http://github.com/o/r/tree/main/a%20b", "http://github.com/o/r", "main/a b"),
        ("https://github.com/o/r/tree/feature%2Fx/%C3%A9", "https://github.com/o/r", "feature/x/é"),
        ("https://github.com/o/r/tree/main/-x/..c/d.zip", "https://github.com/o/r", "main/-x/..c/d.zip"),
        ("https://github.com/o/r/tree/", "https://github.com/o/r", ""),
        ("https://github.com/o/r/commit/0123abcd", "https://github.com/o/r", "0123abcd"),
        ("https://gitlab.com/g/s/r/-/tree/main/d?ref_type=heads", "https://gitlab.com/g/s/r", "main/d"),
        ("https://git.corp:8443/r/-/tree/main/", "https://git.corp:8443/r", "main"),
        ("https://git.corp/g/r/-/commit/0123abcd", "https://git.corp/g/r", "0123abcd"),
        ("https://bitbucket.org/o/r/src/main/d/", "https://bitbucket.org/o/r", "main/d"),
        ("https://bitbucket.org/o/r/src/", "https://bitbucket.org/o/r", ""),
        ("https://www.bitbucket.org/o/r/commits/0123abcd", "https://bitbucket.org/o/r", "0123abcd"),
    ],
)
def test_pages_of_folders(location: str, repository: str, path: str) -> None:
    assert read(location) == WebAddress(repository, path)


@pytest.mark.parametrize(
    "location",
    [
        "https://github.com/o/r",
        "https://github.com/o/r/",
        "https://github.com/o/r.git",
        "https://host/o/r/tree/main",
        "https://host/o/r/src/main",
        "https://github.com.evil/o/r/tree/main",
        "https://evil/github.com/o/r/tree/main",
        "https://host/-/tree/main",
        "ssh://github.com/o/r/tree/main",
        "git@github.com:o/r/tree/main",
        "https://github.com/o/r/archive/refs/heads/main.zip",
        "https://github.com/o/r/raw/main/x.tar.gz",
        "https://gitlab.com/g/r/-/archive/main/r.zip",
        "https://bitbucket.org/o/r/get/main.zip",
    ],
)
def test_what_is_no_page_of_a_folder(location: str) -> None:
    assert read(location) is None


@pytest.mark.parametrize(
    "location",
    [
        "https://github.com/o/r/blob/main/train.py",
        "https://github.com/o/r/blob/main/x.zip",
        "https://github.com/o/r/pull/7",
        "https://github.com/o/r/commit/main",
        "https://github.com/o/r/commit/0123abcd/x",
        "https://gitlab.com/g/r/-/blob/main/train.py",
        "https://gitlab.com/g/r/-/merge_requests/7",
        "https://bitbucket.org/o/r/branches",
    ],
)
def test_other_pages_are_refused_with_what_to_give(location: str) -> None:
    with pytest.raises(RequestError, match="is not the URL of a folder") as raised:
        read(location)
    assert "#FOLDER" in raised.value.hint


@pytest.mark.parametrize("site", ["https://github.com/o/r/tree/", "https://host/g/r/-/tree/"])
@pytest.mark.parametrize(
    "place",
    [
        "main/../../etc",
        "main/%2e%2e/etc",
        "../main",
        "main/./a",
        "-x/a",
        "--upload-pack=x",
        "%2D-upload-pack=x/a",
        "main/a%0Ab",
        "main/a%00b",
        "main/a%5Cb",
        "a~1",
        "a:b",
        "@%7B-1%7D",
        "a..b/c",
    ],
)
def test_hostile_places_are_refused(site: str, place: str) -> None:
    with pytest.raises(RequestError, match="no branch, tag or commit"):
        read(site + place)


def test_a_page_is_recorded_as_its_repository(tmp_path: Path) -> None:
    uri = parse_project_uri("https://me:word@github.com/o/r/tree/main/dir?x=word#sub", tmp_path)
    assert uri == ProjectUri(
        "git", "https://me:word@github.com/o/r.git", "sub", "https://github.com/o/r#sub", web_path="main/dir"
    )


@pytest.mark.parametrize(
    ("text", "recorded", "subdirectory"),
    [
        ("gh:owner/repo", "https://github.com/owner/repo", ""),
        ("gh:owner/repo.git/", "https://github.com/owner/repo", ""),
        ("gh:an-owner/.r_e.p-o#a/b.c", "https://github.com/an-owner/.r_e.p-o#a/b.c", "a/b.c"),
    ],
)
def test_the_short_form(tmp_path: Path, text: str, recorded: str, subdirectory: str) -> None:
    location = recorded.partition("#")[0] + ".git"
    assert parse_project_uri(text, tmp_path) == ProjectUri("git", location, subdirectory, recorded)


def test_a_folder_that_exists_wins_over_the_short_form(tmp_path: Path) -> None:
    (tmp_path / "gh:owner" / "repo").mkdir(parents=True)
    assert parse_project_uri("gh:owner/repo", tmp_path).kind == "local"


@pytest.mark.parametrize(
    "text",
    [
        "gh:",
        "gh:owner",
        "gh:/repo",
        "gh:owner/..",
        "gh:../repo",
        "gh:owner/repo/tree/main",
        "gh:-o/repo",
        "gh:owner/-repo",
        "gh:owner/re po",
        "gh:owner/repo?x",
        "gh:owner@evil/repo",
        "gh:ow%6Eer/repo",
    ],
)
def test_what_is_no_short_form(text: str) -> None:
    with pytest.raises(RequestError, match="is not gh:OWNER/REPOSITORY"):
        expand_shorthand(text)


@pytest.mark.parametrize(
    ("page", "version", "subdirectory"),
    [
        ("tree/main/examples/train", "main", "examples/train"),
        ("tree/feature/examples/v1.2/?ref_type=heads", "feature", "examples/v1.2"),
        ("tree/v1", "v1", ""),
        ("commit/{first}", "{first}", ""),
    ],
)
def test_a_page_leads_to_its_folder_and_version(
    server: GitServer, repository: Repository, fetched: Fetch, page: str, version: str, subdirectory: str
) -> None:
    commits = {"main": repository.third, "feature": repository.feature}
    checkout = fetched(server.url("repository/-/") + page.format(first=repository.first))
    assert checkout.version == version.format(first=repository.first)
    assert checkout.commit == commits.get(version, repository.first)
    assert checkout.subdirectory == subdirectory
    assert checkout.repository == server.url("repository")
    assert checkout.uri == server.url("repository") + (f"#{subdirectory}" if subdirectory else "")
    assert (checkout.directory / "MLproject").is_file()


def test_a_branch_with_slashes_is_told_from_the_folder(
    server: GitServer, repository: Repository, fetched: Fetch
) -> None:
    repository.git(
        "push", "--quiet", str(server.root / "repository.git"), "v1^{commit}:refs/heads/topic/examples"
    )
    checkout = fetched(server.url("repository/-/tree/topic/examples/examples/train"))
    assert (checkout.version, checkout.subdirectory) == ("topic/examples", "examples/train")
    assert checkout.commit == repository.first
