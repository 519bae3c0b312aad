from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.sources.git.access import access_to
from projrun.sources.git.authentication import authentication_hint
from projrun.sources.git.process import Git, GitError
from projrun.sources.git.tokens import token_variable
from tests.sources.git_servers import GitServer, Repository
from tests.support.commands import require_tool
from tests.support.ssh_server import SshServer, make_key, ssh_agent, ssh_server


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    """An sshd of the test's own."""
    with ssh_server(tmp_path / "ssh") as server:
        yield server


def listed(location: str, environ: dict[str, str], folder: Path) -> str:
    """What `git ls-remote` prints for an address."""
    return reaching(location, environ, folder).run("ls-remote", "--end-of-options", location)


def reaching(location: str, environ: dict[str, str], folder: Path) -> Git:
    """git with the access to an address."""
    return Git(folder, environ, access=access_to(location, environ), protocols="http:https:ssh")


def hint(location: str, environ: dict[str, str], folder: Path) -> str:
    """What a person is told when the address cannot be read."""
    git = reaching(location, environ, folder)
    with pytest.raises(GitError) as raised:
        git.run("ls-remote", "--end-of-options", git.access.url)
    return authentication_hint(git, str(raised.value))


@pytest.fixture
def private(server: GitServer) -> str:
    """The address of a repository that asks for credentials which nobody has."""
    server.credentials = "nobody:knows"
    return server.url("repository.git")


def test_nothing_to_try(private: str, server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    assert hint(private, environ, tmp_path) == (
        "no credentials were found; set up a git credential helper, or a token in "
        f"${token_variable(server.address)}"
    )


def test_a_token_is_not_suggested_where_it_would_not_be_sent(environ: dict[str, str], tmp_path: Path) -> None:
    for scheme, is_told in (("http", False), ("https", True)):
        git = reaching(f"{scheme}://host.invalid/r.git", environ, tmp_path)
        told = authentication_hint(git, "fatal: Authentication failed")
        assert (token_variable("host.invalid") in told) is is_told
        assert "git credential helper" in told


def test_credentials_of_the_url(private: str, environ: dict[str, str], tmp_path: Path) -> None:
    told = hint(private.replace("http://", "http://ada:hidden@"), environ, tmp_path)
    assert told.startswith("tried: the user and password in the URL; ")
    assert "hidden" not in told


def test_everything_at_once(private: str, server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "ask").write_text("#!/bin/sh\necho hidden\n")
    (tmp_path / "ask").chmod(0o755)
    Path(environ["HOME"], ".netrc").write_text("machine elsewhere.invalid login a password hidden\n")
    Path(environ["HOME"], ".gitconfig").write_text(
        f"[credential]\n\thelper = forgotten\n\thelper =\n\thelper = store --file={tmp_path}/hidden\n"
        '\thelper = "!f() { test hidden; }; f"\n'
        '[credential "https://elsewhere.invalid"]\n\thelper = other\n'
        f'[credential "http://{server.address}"]\n\thelper = cache\n'
    )
    environ.update({"GIT_ASKPASS": str(tmp_path / "ask"), token_variable(server.address): "hidden"})
    told = hint(private, environ, tmp_path)
    assert told.partition(";")[0] == (
        "tried: ~/.netrc, the credential helper 'store', a credential helper of your git configuration, the "
        f"credential helper 'cache', the token in ${token_variable(server.address)}, GIT_ASKPASS"
    )
    assert "hidden" not in told


def test_what_is_not_found_may_be_private(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    environ[token_variable(server.address)] = "hidden"
    told = hint(server.url("nothing.git"), environ, tmp_path)
    assert told.startswith("check the address and your access; tried: the token in $PROJRUN_GIT_TOKEN_")


def test_another_failure(environ: dict[str, str], tmp_path: Path) -> None:
    assert hint("http://127.0.0.1:1/r.git", environ, tmp_path) == ""


@pytest.mark.processes
def test_a_key_of_the_users_own_configuration(
    ssh: SshServer, repository: Repository, environ: dict[str, str], tmp_path: Path
) -> None:
    assert "refs/heads/main" in listed(ssh.url(repository.path), {**environ, **ssh.variables}, tmp_path)
    assert ssh.connections == 1


@pytest.mark.processes
def test_the_ssh_agent(
    ssh: SshServer, repository: Repository, environ: dict[str, str], tmp_path: Path
) -> None:
    config = ssh.write_client_config("agent", agent="SSH_AUTH_SOCK")
    environ["GIT_SSH_COMMAND"] = f"ssh -F {config}"
    with ssh_agent((ssh.key,), environ) as socket:
        environ["SSH_AUTH_SOCK"] = socket
        assert "refs/heads/main" in listed(ssh.url(repository.path), environ, tmp_path)


def with_ssh(environ: dict[str, str], folder: Path, config: Path) -> dict[str, str]:
    """An `ssh` on PATH that reads a configuration as a person's own; the way git calls it stays projrun's."""
    (folder / "bin").mkdir()
    (folder / "bin" / "ssh").write_text(
        f'#!/bin/sh\necho "$@" >> {folder}/calls\nexec {require_tool("ssh")} -F {config} "$@"\n'
    )
    (folder / "bin" / "ssh").chmod(0o755)
    return {**environ, "PATH": f"{folder}/bin:{environ['PATH']}"}


@pytest.mark.processes
def test_refused_keys_are_named(
    ssh: SshServer, repository: Repository, environ: dict[str, str], tmp_path: Path
) -> None:
    key = make_key(tmp_path / "other_key")
    config = ssh.write_client_config("refused", key=str(key), agent="SSH_AUTH_SOCK")
    environ = with_ssh(environ, tmp_path, config)
    url, add = ssh.url(repository.path), "; add your key to the ssh agent, and its public half to the server"
    assert hint(url, environ, tmp_path) == f"tried: ssh agent (none runs), {key}{add}"
    with ssh_agent((), environ) as socket:
        environ["SSH_AUTH_SOCK"] = socket
        assert hint(url, environ, tmp_path) == f"tried: ssh agent (no keys), {key}{add}"
    with ssh_agent((key,), environ) as socket:
        environ["SSH_AUTH_SOCK"] = socket
        assert hint(url, environ, tmp_path) == f"tried: ssh agent (1 key), {key}{add}"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert all(call.startswith("-oBatchMode=yes ") for call in calls)


def test_an_unknown_host_key_asks_nobody(
    ssh: SshServer, repository: Repository, environ: dict[str, str], tmp_path: Path
) -> None:
    config = ssh.write_client_config("unknown", key=str(ssh.key), host_is_known=False)
    config.write_text(config.read_text().replace("StrictHostKeyChecking yes", "StrictHostKeyChecking ask"))
    environ = with_ssh(environ, tmp_path, config)
    with pytest.raises(GitError, match="Host key verification failed"):
        listed(ssh.url(repository.path), environ, tmp_path)


@pytest.mark.parametrize("command", ["plink -v", "ssh 'unclosed"])
def test_a_command_that_is_not_openssh(environ: dict[str, str], tmp_path: Path, command: str) -> None:
    git = reaching("git@host:o/r", {**environ, "GIT_SSH_COMMAND": command}, tmp_path)
    assert authentication_hint(git, "Permission denied (publickey)").startswith(
        "tried: your own ssh command;"
    )
