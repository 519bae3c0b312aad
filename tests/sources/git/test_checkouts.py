from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from projrun.cache.entries import DESCRIPTION, ContentCache
from projrun.errors import SourceError
from projrun.sources.git.checkouts import enter_branch
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.options import FetchOptions
from projrun.sources.places import checkouts
from tests.sources.conftest import Fetch
from tests.sources.git_servers import GitServer, Repository, git, make_repository

SECRET = "hunter2-Tok"


@pytest.fixture
def options(tmp_path: Path, environ: dict[str, str]) -> FetchOptions:
    """Fetching into a cache of the test's own."""
    return FetchOptions(tmp_path / "cache", environ, tmp_path, own_copy=False)


def test_a_checkout_is_complete_in_itself(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    tree = fetch_repository(server.url("repository.git"), "main", options).tree
    subprocess.run(["rm", "-r", str(options.cache / "repositories"), str(server.root)], check=True)
    told = [
        git(tree, *words, environ=repository.environ)
        for words in (
            ("rev-parse", "HEAD"),
            ("rev-parse", "--is-shallow-repository"),
            ("log", "--format=%s"),
            ("status", "--porcelain"),
            ("fsck", "--strict"),
            ("remote", "get-url", "origin"),
            ("show", "HEAD:data.txt"),
        )
    ]
    assert told == [repository.third, "true", "third", "", "", server.url("repository.git"), "third"]
    assert not (tree / ".git/objects/info/alternates").exists()


def test_no_credentials_in_any_file_of_the_cache(server: GitServer, options: FetchOptions) -> None:
    server.credentials = f"me:{SECRET}"
    place = f"http://me:{SECRET}@{server.address}/repository.git?private_token={SECRET}"
    with pytest.raises(SourceError) as raised:  # this server knows no query
        fetch_repository(place, None, options)
    assert SECRET not in raised.value.message + raised.value.hint + raised.value.detail
    for version in (None, "v1"):
        fetch_repository(place.partition("?")[0], version, options)
    files = [file for file in options.cache.rglob("*") if file.is_file()]
    assert len(files) > 20
    assert [file for file in files if SECRET.encode() in file.read_bytes()] == []


def test_what_the_cache_says_of_a_checkout(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    fetch_repository(f"http://me:{SECRET}@{server.address}/repository.git", "v1", options)
    (entry,) = ContentCache(checkouts(options.cache), probe="tree").entries()
    facts = json.loads((entry.path / DESCRIPTION).read_text())
    expected = {"kind": "git", "source": server.url("repository.git"), "commit": repository.first}
    assert {key: facts[key] for key in expected} == expected


def test_git_reads_no_file_of_a_copy_to_see_that_nothing_changed(
    server: GitServer, repository: Repository, fetched: Fetch
) -> None:
    copy = fetched(server.url("repository.git")).root
    words = ("ls-files", "--debug", "data.txt")
    assert git(copy, "config", "core.checkStat", environ=repository.environ) == "minimal"
    before = git(copy, *words, environ=repository.environ)
    assert git(copy, "status", "--porcelain", environ=repository.environ) == ""
    assert git(copy, *words, environ=repository.environ) == before  # not even its index was out of date
    (copy / "data.txt").write_text("tired")
    assert git(copy, "status", "--porcelain", environ=repository.environ) == "M data.txt"


def test_a_checkout_that_was_damaged_is_made_again(
    server: GitServer, repository: Repository, options: FetchOptions
) -> None:
    tree = fetch_repository(server.url("repository.git"), "main", options).tree
    subprocess.run(["rm", "-r", str(tree)], check=True)
    assert (fetch_repository(server.url("repository.git"), "main", options).tree / "data.txt").exists()


@pytest.mark.processes
@pytest.mark.parametrize("branch", ["main", "team/topic", "ünïcode", "a.b"])
def test_a_copy_enters_its_branch(
    repository: Repository, options: FetchOptions, tmp_path: Path, branch: str
) -> None:
    tree = fetch_repository(repository.path.as_uri(), "main", options).tree
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(tree), str(copy)], check=True)
    enter_branch(copy, repository.third, branch)
    assert git(copy, "symbolic-ref", "--short", "HEAD", environ=repository.environ) == branch
    assert git(copy, "rev-parse", "HEAD", environ=repository.environ) == repository.third
    assert git(copy, "fsck", environ=repository.environ) == ""
    assert git(copy, "status", "--porcelain", environ=repository.environ) == ""
    enter_branch(copy, repository.third, "other")  # it is on a branch already
    assert git(copy, "symbolic-ref", "--short", "HEAD", environ=repository.environ) == branch


@pytest.mark.processes
def test_a_branch_name_that_no_file_can_have(
    repository: Repository, options: FetchOptions, tmp_path: Path
) -> None:
    tree = fetch_repository(repository.path.as_uri(), "main", options).tree
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(tree), str(copy)], check=True)
    enter_branch(copy, repository.third, "x" * 300)
    assert git(copy, "rev-parse", "--abbrev-ref", "HEAD", environ=repository.environ) == "HEAD"


@pytest.mark.parametrize("branch", ["../../x", "/x", "a/../../../x", "x.lock", ""])
def test_a_branch_name_that_leads_elsewhere(tmp_path: Path, branch: str) -> None:
    (tmp_path / ".git/refs/heads").mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("1" * 40)
    before = sorted(tmp_path.rglob("*"))
    enter_branch(tmp_path, "1" * 40, branch)
    assert (tmp_path / ".git/HEAD").read_text() == "1" * 40
    assert sorted(tmp_path.rglob("*")) == before


def test_filters_that_the_machine_includes_for_some_places_only(
    server: GitServer, repository: Repository, options: FetchOptions, tmp_path: Path
) -> None:
    bare, marker = server.root / "repository.git", tmp_path / "executed"
    (repository.path / ".gitattributes").write_text("data.txt filter=bad\n")
    repository.git("add", ".gitattributes")
    repository.git("commit", "--quiet", "-m", "filtered")
    repository.git("push", "--quiet", str(bare), "main")
    home = Path(options.environ["HOME"])
    (home / "more").write_text(f'[filter "bad"]\n\tsmudge = touch {marker}; cat\n')
    (home / ".gitconfig").write_text(
        '[includeIf "hasconfig:remote.*.url:http://127.0.0.1:*/**"]\n\tpath = more\n'
        f'[includeIf "gitdir:{options.cache}/"]\n\tpath = more\n'
    )
    tree = fetch_repository(server.url("repository.git"), "main", options).tree
    assert (tree / ".gitattributes").exists()
    assert not marker.exists()


@pytest.mark.processes
@pytest.mark.parametrize("name", ["core.symlinks", "core.autocrlf"])
def test_the_repositorys_own_files_are_kept_as_they_are(
    environ: dict[str, str], options: FetchOptions, tmp_path: Path, name: str
) -> None:
    made = make_repository(tmp_path / "kinds", environ)
    (made.path / "run.sh").write_text("#!/bin/sh\n")
    (made.path / "run.sh").chmod(0o755)
    (made.path / "link").symlink_to("data.txt")
    made.git("add", "--all")
    made.git("commit", "--quiet", "-m", name)
    tree = fetch_repository(made.path.as_uri(), "main", options).tree
    assert (tree / "run.sh").stat().st_mode & 0o100
    assert (tree / "link").readlink() == Path("data.txt")


CONCURRENT = """
import os, sys
from pathlib import Path
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.options import FetchOptions
url, cache = sys.argv[1:]
print(fetch_repository(url, None, FetchOptions(Path(cache), os.environ, Path("/"))).tree)
"""


def test_processes_at_once_fetch_once(server: GitServer, options: FetchOptions) -> None:
    argv = [sys.executable, "-c", CONCURRENT, server.url("repository.git"), str(options.cache)]
    runs = [
        subprocess.Popen(argv, env=dict(options.environ), stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    trees = {run.communicate(timeout=60)[0] for run in runs}
    assert [run.returncode for run in runs] == [0] * 4
    assert len(trees) == 1
    assert server.packs == 1


def nest(server: GitServer, repository: Repository, depth: int, width: int) -> str:
    """A commit with so many submodules, each of them with so many; all are commits of one small repository."""
    bare = server.root / "repository.git"
    entries = "".join(
        f'[submodule "s{one}"]\n\tpath = s{one}\n\turl = ../repository.git\n' for one in range(width)
    )
    (bare / "modules").write_text(entries)
    modules = git(bare, "hash-object", "-w", "modules", environ=repository.environ)
    commit = repository.first
    for _ in range(depth):
        listed = f"100644 blob {modules}\t.gitmodules\n"
        listed += "".join(f"160000 commit {commit}\ts{one}\n" for one in range(width))
        made = subprocess.run(
            ["git", "-C", str(bare), "mktree"], input=listed, capture_output=True, text=True, check=True
        )
        commit = git(bare, "commit-tree", "-m", "nested", made.stdout.strip(), environ=repository.environ)
    git(bare, "update-ref", "refs/heads/nested", commit, environ=repository.environ)
    return commit


def test_few_submodules_become_many(
    server: GitServer, repository: Repository, options: FetchOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three in each of three are twelve: with ten levels of ten no disk would be large enough."""
    monkeypatch.setattr("projrun.sources.git.submodules._MOST", 12)
    nest(server, repository, 2, 3)
    tree = fetch_repository(server.url("repository.git"), "nested", options).tree
    assert len(list(tree.glob("s*/s*/data.txt"))) == 9
    nest(server, repository, 3, 3)
    with pytest.raises(SourceError, match=r"submodule 's0' of .* more than 12") as raised:
        fetch_repository(server.url("repository.git"), "nested", options)
    assert raised.value.exit_code == 3


@pytest.mark.parametrize(("depth", "refused"), [(2, False), (3, True)])
def test_submodules_of_submodules_have_an_end(
    server: GitServer,
    repository: Repository,
    options: FetchOptions,
    monkeypatch: pytest.MonkeyPatch,
    depth: int,
    refused: bool,
) -> None:
    monkeypatch.setattr("projrun.sources.git.checkouts._DEEPEST", 2)
    commit = nest(server, repository, depth, 1)
    if refused:
        with pytest.raises(SourceError, match="more than 2 submodules deep"):
            fetch_repository(server.url("repository.git"), commit, options)
        assert ContentCache(checkouts(options.cache)).entries() == []
    else:
        assert fetch_repository(server.url("repository.git"), commit, options).tree.is_dir()


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are UTF-8 there")
@pytest.mark.parametrize("name", [b"caf\xe9", "a\u2028b".encode(), b"a\x85b"])
def test_a_branch_of_any_bytes(
    server: GitServer, repository: Repository, fetched: Fetch, name: bytes
) -> None:
    subprocess.run([b"git", b"-C", bytes(server.root / "repository.git"), b"branch", name, b"v1"], check=True)
    checkout = fetched(server.url("repository.git"), os.fsdecode(name))
    assert checkout.commit == repository.first
    told = subprocess.run(
        ["git", "-C", str(checkout.root), "symbolic-ref", "HEAD"], check=True, capture_output=True
    )
    assert told.stdout == b"refs/heads/" + name + b"\n"
