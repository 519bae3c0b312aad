"""Private repositories by the command line, with submodules and Git LFS, over http and ssh."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.sources.git.tokens import token_variable
from tests.sources.git_servers import GitServer, git, serving
from tests.support.commands import Completed, require_tool
from tests.support.lfs_server import LfsServer
from tests.support.source_bench import Person
from tests.support.ssh_server import SshServer, ssh_server

pytestmark = pytest.mark.integration

PASSWORD = "s3cret-of-ada"
CONTENT = b"weights\n" * 1000
RUNS = "entry_points: {main: {command: 'cat lib/inner/data.txt lib/data.txt && head -c7 model.bin'}}\n"


def _commit(folder: Path) -> str:
    git(folder, "add", "--all", environ=os.environ)
    git(folder, "commit", "--quiet", "-m", "more", environ=os.environ)
    return git(folder, "rev-parse", "HEAD", environ=os.environ)


def _repository(folder: Path, text: str) -> str:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", environ=os.environ)
    (folder / "data.txt").write_text(text)
    return _commit(folder)


def _add_submodule(folder: Path, path: str, url: str, commit: str) -> None:
    git(folder, "config", "--file", ".gitmodules", f"submodule.{path}.path", path, environ=os.environ)
    git(folder, "config", "--file", ".gitmodules", f"submodule.{path}.url", url, environ=os.environ)
    git(folder, "add", ".gitmodules", environ=os.environ)
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}", environ=os.environ)
    git(folder, "commit", "--quiet", "-m", "submodule", environ=os.environ)


@pytest.fixture
def lfs() -> Iterator[LfsServer]:
    """A server of LFS files, for whom has the password."""
    require_tool("git-lfs")
    server = LfsServer()
    server.credentials = f"oauth2:{PASSWORD}"
    with serving(server):
        yield server


@pytest.fixture
def served(tmp_path: Path, lfs: LfsServer) -> Path:
    """A folder with `project`, its submodule `lib`, and that one's `inner`; `project` keeps a file in Git LFS."""
    root = tmp_path / "served"
    inner = _repository(root / "inner", "inner\n")
    _repository(root / "lib", "lib\n")
    _add_submodule(root / "lib", "inner", "../inner", inner)
    first = _repository(root / "project", "first\n")
    (root / "project" / "MLproject").write_text(RUNS)
    (root / "project" / ".gitattributes").write_text("*.bin filter=lfs\n")
    (root / "project" / "model.bin").write_text(lfs.add(CONTENT))
    (root / "project" / ".lfsconfig").write_text(f"[lfs]\n\turl = {lfs.url('project')}\n")
    _commit(root / "project")
    _add_submodule(
        root / "project", "lib", "../lib", git(root / "lib", "rev-parse", "HEAD", environ=os.environ)
    )
    _add_submodule(root / "project", "older", "../project", first)  # itself, an earlier commit
    return root


@pytest.fixture
def server(served: Path) -> Iterator[GitServer]:
    """A git server for whom has the password."""
    server = GitServer(served, dict(os.environ))
    server.credentials = f"oauth2:{PASSWORD}"
    with serving(server):
        yield server


def _having(person: Person, *addresses: str) -> Person:
    """The same person, with the password for servers in the environment."""
    return person._replace(environ={**person.environ, **{token_variable(one): PASSWORD for one in addresses}})


def _check_run(done: Completed) -> None:
    assert done.returncode == 0, done.stderr
    assert "inner\nlib\nweights" in done.stdout


def _check_hidden(person: Person, *done: Completed) -> None:
    for each in done:
        assert PASSWORD not in each.stdout + each.stderr
    files = [file for file in person.home.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(files) > 20
    assert [file for file in files if PASSWORD.encode() in file.read_bytes()] == []


def test_credentials_of_the_url_show_nowhere(server: GitServer, lfs: LfsServer, person: Person) -> None:
    uri = server.url("project").replace("http://", f"http://oauth2:{PASSWORD}@")
    person = _having(person, lfs.address)
    planned = person.run(uri, "--dry-run")
    done = person.run(uri, "--keep-workdir")
    _check_run(done)
    _check_hidden(person, planned, done)
    if sys.platform == "linux":
        assert any("remote-http" in line for line in server.command_lines)
    shown = [line for line in server.command_lines if PASSWORD in line]
    assert [line for line in shown if uri not in line] == []  # but in what the person typed


def test_tokens_of_the_environment_show_nowhere(server: GitServer, lfs: LfsServer, person: Person) -> None:
    knowing = _having(person, server.address, lfs.address)
    done = knowing.run(server.url("project"), "--keep-workdir")
    _check_run(done)
    _check_hidden(person, done)
    assert not any(PASSWORD in line for line in server.command_lines)


def test_a_second_run_makes_no_connection(server: GitServer, lfs: LfsServer, person: Person) -> None:
    knowing = _having(person, server.address, lfs.address)
    commit = git(server.root / "project", "rev-parse", "HEAD", environ=os.environ)
    _check_run(knowing.run(server.url("project"), "-v", commit))
    asked = len(server.authorizations), len(lfs.requests)
    _check_run(person.run(server.url("project"), "-v", commit))
    assert (len(server.authorizations), len(lfs.requests)) == asked


def test_pointers_and_files_are_two_checkouts(server: GitServer, lfs: LfsServer, person: Person) -> None:
    knowing = _having(person, server.address, lfs.address)
    done = knowing.run(server.url("project"), GIT_LFS_SKIP_SMUDGE="1")
    assert "inner\nlib\nversion" in done.stdout
    assert lfs.requests == []
    _check_run(knowing.run(server.url("project")))


def test_without_credentials_nobody_is_asked(server: GitServer, person: Person) -> None:
    done = person.run(server.url("project"))
    assert done.returncode == 3
    assert (
        f"no credentials were found; set up a git credential helper, or a token in ${token_variable(server.address)}"
        in (done.stderr)
    )


def test_a_submodule_is_subject_to_the_users_policy(
    server: GitServer, lfs: LfsServer, person: Person, served: Path
) -> None:
    inner = git(served / "inner", "rev-parse", "HEAD", environ=os.environ)
    _add_submodule(served / "project", "evil", "https://evil.invalid/inner", inner)
    knowing = _having(person, server.address, lfs.address)
    done = knowing.run(server.url("project"), PROJRUN_ALLOWED_HOSTS="127.0.0.1")
    assert done.returncode == 3
    assert "submodule 'evil'" in done.stderr
    assert "'evil.invalid' is refused: $PROJRUN_ALLOWED_HOSTS sets allowed-hosts" in done.stderr


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    """An sshd."""
    with ssh_server(tmp_path / "ssh") as server:
        yield server


def test_over_ssh(ssh: SshServer, served: Path, lfs: LfsServer, person: Person) -> None:
    knowing = _having(person, lfs.address)
    knowing = knowing._replace(environ={**knowing.environ, **ssh.variables})
    _check_run(knowing.run(ssh.url(served / "project")))
    commit = git(served / "project", "rev-parse", "HEAD", environ=os.environ)
    connections = ssh.connections
    _check_run(person.run(ssh.url(served / "project"), "-v", commit))
    assert ssh.connections == connections
