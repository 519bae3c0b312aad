from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from projrun.errors import SourceError
from projrun.settings import Setting
from projrun.sources.git.process import Git
from projrun.sources.git.tokens import token_variable
from projrun.sources.lfs.fetch import fetch_lfs_files
from projrun.sources.policy import TrustPolicy
from tests.sources.git_servers import git, serving
from tests.support.commands import require_tool
from tests.support.lfs_server import LfsServer

CONTENT = b"weights\0" * 1000


@pytest.fixture
def lfs() -> Iterator[LfsServer]:
    """A server without files."""
    require_tool("git-lfs")
    server = LfsServer()
    with serving(server):
        yield server


class Tree(NamedTuple):
    """A checkout with a pointer in `model.bin`."""

    folder: Path
    environ: dict[str, str]

    @property
    def model(self) -> Path:
        """The file that is a pointer until it is fetched."""
        return self.folder / "model.bin"

    def commit(self, name: str, text: str) -> None:
        """Another file, in a commit."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
        git(self.folder, "add", "--all", environ=self.environ)
        git(self.folder, "commit", "--quiet", "-m", name, environ=self.environ)

    def fetch(self, location: str, *hosts: str, offline: bool = False, **more: str) -> None:
        """Fetch its files, as a checkout from `location`; `hosts` are all that may be asked."""
        policy = TrustPolicy([Setting(",".join(hosts), "config.toml")] if hosts else ())
        at_work = Git(self.folder / ".git", {**self.environ, **more}, work_tree=self.folder)
        storage = self.folder.parent / "storage"
        fetch_lfs_files(at_work, self.folder, location, policy, storage, offline=offline)


@pytest.fixture
def tree(tmp_path: Path, lfs: LfsServer, environ: dict[str, str]) -> Tree:
    """A checkout whose LFS file the server has."""
    folder = tmp_path / "tree"
    git(tmp_path, "init", "--quiet", str(folder), environ=environ)
    made = Tree(folder, environ)
    made.commit(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    made.commit("model.bin", lfs.add(CONTENT))
    git(folder, "remote", "add", "origin", "http://origin.invalid/owner/repo", environ=environ)
    return made


def test_a_file_comes_in_the_place_of_its_pointer(tree: Tree, lfs: LfsServer) -> None:
    tree.model.chmod(0o755)
    git(tree.folder, "commit", "--all", "--quiet", "-m", "executable", environ=tree.environ)
    tree.fetch(lfs.url("owner/repo"))
    assert tree.model.read_bytes() == CONTENT
    assert tree.model.stat().st_mode & 0o777 == 0o755
    assert lfs.requests[0] == "/owner/repo.git/info/lfs/objects/batch"
    assert git(tree.folder, "status", "--porcelain", environ=tree.environ) == ""


def test_what_was_fetched_once_is_not_fetched_again(tree: Tree, lfs: LfsServer) -> None:
    tree.fetch(lfs.url("owner/repo"))
    asked = len(lfs.requests)
    git(tree.folder, "checkout", "--force", "HEAD", "--", "model.bin", environ=tree.environ)
    tree.model.write_text(lfs.add(CONTENT))
    tree.fetch(lfs.url("owner/repo"))
    assert tree.model.read_bytes() == CONTENT
    assert len(lfs.requests) == asked


def test_the_users_way_to_read_paths_changes_nothing(tree: Tree, lfs: LfsServer) -> None:
    tree.fetch(lfs.url("owner/repo"), GIT_LITERAL_PATHSPECS="1")
    assert tree.model.read_bytes() == CONTENT


def test_odd_names(tree: Tree, lfs: LfsServer) -> None:
    tree.commit("a b/é 'x'.bin", lfs.add(b"odd"))
    tree.fetch(lfs.url("owner/repo"))
    assert (tree.folder / "a b" / "é 'x'.bin").read_bytes() == b"odd"


def test_a_repository_without_lfs_asks_nobody(tree: Tree, lfs: LfsServer) -> None:
    tree.commit(".gitattributes", "")
    tree.fetch(lfs.url("owner/repo"), PATH=without_git_lfs(tree.folder.parent))
    assert lfs.requests == []


def test_what_is_no_pointer_stays(tree: Tree, lfs: LfsServer) -> None:
    tree.commit("model.bin", "committed as it is")
    tree.fetch(lfs.url("owner/repo"))
    assert tree.model.read_text() == "committed as it is"
    assert lfs.requests == []


@pytest.mark.parametrize("word", ["1", "true"])
def test_pointers_where_the_user_wants_them(tree: Tree, lfs: LfsServer, word: str) -> None:
    tree.fetch(lfs.url("owner/repo"), GIT_LFS_SKIP_SMUDGE=word)
    assert tree.model.read_bytes().startswith(b"version ")
    assert lfs.requests == []


def test_pointers_where_the_repository_wants_them(tree: Tree, lfs: LfsServer) -> None:
    tree.commit(".lfsconfig", "[lfs]\n\tfetchexclude = *\n")
    tree.fetch(lfs.url("owner/repo"))
    assert tree.model.read_bytes().startswith(b"version ")


def without_git_lfs(folder: Path) -> str:
    """A PATH with git and no git-lfs."""
    (folder / "bin").mkdir()
    (folder / "bin" / "git").symlink_to(require_tool("git"))
    return str(folder / "bin")


def refusal(tree: Tree, location: str, *hosts: str, offline: bool = False, **more: str) -> SourceError:
    """Why its files were not fetched; the pointer stays then."""
    with pytest.raises(SourceError) as raised:
        tree.fetch(location, *hosts, offline=offline, **more)
    assert tree.model.read_bytes().startswith(b"version ")
    return raised.value


def test_git_lfs_is_not_installed(tree: Tree, lfs: LfsServer) -> None:
    error = refusal(tree, lfs.url("owner/repo"), PATH=without_git_lfs(tree.folder.parent))
    assert error.message.endswith("/owner/repo: git-lfs is not installed")
    assert "install git-lfs, or set GIT_LFS_SKIP_SMUDGE=1" in error.hint


def test_offline(tree: Tree, lfs: LfsServer) -> None:
    assert "--offline contacts no server" in refusal(tree, lfs.url("owner/repo"), offline=True).message
    assert lfs.requests == []
    tree.fetch(lfs.url("owner/repo"))
    tree.model.write_text(lfs.add(CONTENT))
    tree.fetch(lfs.url("owner/repo"), offline=True)
    assert tree.model.read_bytes() == CONTENT


def test_a_file_that_the_server_has_not(tree: Tree, lfs: LfsServer) -> None:
    lfs.files.clear()
    error = refusal(tree, lfs.url("owner/repo"))
    assert error.message.startswith(f"could not fetch the Git LFS files of {lfs.url('owner/repo')}: ")
    assert "no such file" in error.message + error.detail


def test_a_file_that_is_another(tree: Tree, lfs: LfsServer) -> None:
    lfs.files[hashlib.sha256(CONTENT).hexdigest()] = CONTENT[::-1]
    refusal(tree, lfs.url("owner/repo"))


def test_a_damaged_file_of_the_cache(tree: Tree, lfs: LfsServer) -> None:
    oid = hashlib.sha256(CONTENT).hexdigest()
    file = tree.folder.parent / "storage" / "objects" / oid[:2] / oid[2:4] / oid
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT[::-1])
    assert "is damaged" in refusal(tree, lfs.url("owner/repo")).message


def test_credentials_of_the_repositorys_address(tree: Tree, lfs: LfsServer) -> None:
    lfs.credentials = "ada:s3cret"
    location = lfs.url("owner/repo").replace("http://", "http://ada:s3cret@")
    tree.fetch(location)
    assert tree.model.read_bytes() == CONTENT
    held = [
        file for file in tree.folder.parent.rglob("*") if file.is_file() and b"s3cret" in file.read_bytes()
    ]
    assert held == []
    assert "access" not in (tree.folder / ".git" / "config").read_text()


def test_a_token_of_the_environment(tree: Tree, lfs: LfsServer) -> None:
    lfs.credentials = "oauth2:s3cret"
    tree.environ[token_variable(lfs.address)] = "s3cret"
    tree.fetch(lfs.url("owner/repo"))
    assert tree.model.read_bytes() == CONTENT


def test_wrong_credentials(tree: Tree, lfs: LfsServer) -> None:
    lfs.credentials = "ada:s3cret"
    error = refusal(tree, lfs.url("owner/repo").replace("http://", "http://ada:wrong-one@"))
    assert "tried: the user and password in the URL" in error.hint
    assert "wrong-one" not in error.message + error.hint + error.detail


def test_another_server_of_lfsconfig_gets_no_credentials(tree: Tree, lfs: LfsServer) -> None:
    tree.commit(".lfsconfig", f"[lfs]\n\turl = {lfs.url('elsewhere')}\n")
    tree.fetch("http://ada:s3cret@127.0.0.1:1/owner/repo")
    assert tree.model.read_bytes() == CONTENT
    assert lfs.requests[0] == "/elsewhere/objects/batch"
    assert set(lfs.authorizations) == {None}


def test_the_same_server_of_lfsconfig_gets_the_credentials(tree: Tree, lfs: LfsServer) -> None:
    lfs.credentials = "ada:s3cret"
    tree.commit(".lfsconfig", f"[lfs]\n\turl = {lfs.url('elsewhere')}\n")
    tree.fetch(lfs.url("owner/repo").replace("http://", "http://ada:s3cret@"))
    assert tree.model.read_bytes() == CONTENT


@pytest.mark.parametrize("key", ["lfs.url", "remote.origin.lfsurl"])
@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("file:///tmp/other", "it is not an https:// or ssh:// address"),
        ("/tmp/other", "it is not an https:// or ssh:// address"),
        ("ext::sh -c touch% executed", "runs its own command"),
        ("ssh://-oProxyCommand=touch%20executed/x", "has no host"),
        ("-x", "starts with '-'"),
        ("http://evil.invalid/x", "'evil.invalid' is refused: config.toml sets allowed-hosts"),
    ],
)
def test_servers_that_are_refused(tree: Tree, lfs: LfsServer, key: str, server: str, reason: str) -> None:
    git(tree.folder, "config", "--file", ".lfsconfig", key, server, environ=tree.environ)
    tree.commit("other", "")
    error = refusal(tree, lfs.url("owner/repo"), "127.0.0.1")
    assert reason in error.message
    assert lfs.requests == []


def test_no_program_of_lfsconfig_runs(tree: Tree, lfs: LfsServer, tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    agent.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    agent.chmod(0o755)
    tree.commit(
        ".lfsconfig",
        f"[lfs]\n\tstandalonetransferagent = x\n[lfs \"customtransfer.x\"]\n\tpath = {agent}\n"
        f"[lfs \"extension.x\"]\n\tclean = {agent}\n\tsmudge = {agent}\n[filter \"lfs\"]\n\tsmudge = {agent}\n",
    )  # fmt: skip
    tree.fetch(lfs.url("owner/repo"))
    assert tree.model.read_bytes() == CONTENT
    assert not (tmp_path / "executed").exists()


def test_a_pointer_with_an_extension(tree: Tree, lfs: LfsServer) -> None:
    head, rest = lfs.add(CONTENT).split("\n", 1)
    tree.commit("model.bin", f"{head}\next-0-x sha256:{'0' * 64}\n{rest}")
    assert "model.bin uses a Git LFS extension" in refusal(tree, lfs.url("owner/repo")).message


def test_nothing_is_written_through_a_link(tree: Tree, lfs: LfsServer, tmp_path: Path) -> None:
    outside = tmp_path / "outside.bin"
    outside.write_text(lfs.add(CONTENT))
    tree.model.unlink()
    tree.model.symlink_to(outside)
    tree.fetch(lfs.url("owner/repo"))
    assert outside.read_bytes().startswith(b"version ")
    assert lfs.requests == []


def test_a_local_repository_has_what_its_user_fetched(tree: Tree, lfs: LfsServer, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(tree.folder, mine)
    oid = hashlib.sha256(CONTENT).hexdigest()
    kept = mine / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4]
    kept.mkdir(parents=True)
    (kept / oid).write_bytes(CONTENT)
    tree.fetch(mine.as_uri())
    assert tree.model.read_bytes() == CONTENT
    assert lfs.requests == []


def test_a_local_repository_that_came_from_a_server(tree: Tree, lfs: LfsServer, tmp_path: Path) -> None:
    shutil.copytree(tree.folder, tmp_path / "mine")
    git(tmp_path / "mine", "remote", "set-url", "origin", lfs.url("owner/repo"), environ=tree.environ)
    tree.fetch((tmp_path / "mine").as_uri())
    assert tree.model.read_bytes() == CONTENT
    assert lfs.requests[0] == "/owner/repo.git/info/lfs/objects/batch"
