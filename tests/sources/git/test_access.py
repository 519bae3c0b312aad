from __future__ import annotations

import sys
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.sources.git.access import access_to
from projrun.sources.git.process import Git, GitError
from projrun.sources.git.tokens import token_variable
from tests.sources.git_servers import GitServer, Repository, serving

PASSWORD = "s3cret/pa:ss"


def listed(location: str, environ: dict[str, str], folder: Path) -> str:
    """What `git ls-remote` prints for an address."""
    git = Git(folder, environ, access=access_to(location, environ), protocols="http:https:ssh")
    return git.run("ls-remote", "--end-of-options", git.access.url)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://host/o/r", "https://host/o/r"),
        ("git@host:o/r", "git@host:o/r"),
        ("ssh://git@host/r", "ssh://git@host/r"),
        ("ssh://git:pw@host/r", "ssh://git@host/r"),
        ("git://u:pw@host/r", "git://host/r"),
        ("file:///a%3Fb", "file:///a%3Fb"),
    ],
)
def test_without_a_password_for_git(location: str, url: str, environ: dict[str, str]) -> None:
    access = access_to(location, environ)
    assert (access.url, access.settings, access.secrets) == (url, (), ())


def test_a_password_is_bound_to_its_host(environ: dict[str, str]) -> None:
    access = access_to("https://us%40er:p%2Fw@host:8443/o/r", environ)
    assert access.url == "https://host:8443/o/r"
    assert {key for key, _ in access.settings} == {"credential.https://host:8443.helper"}
    assert access.environ["PROJRUN_GIT_USERNAME"] == "us@er"
    assert access.environ["PROJRUN_GIT_PASSWORD"] == "p/w"
    assert access.mask("no p/w, no p%2Fw; https://a:b@host/x") == "no ***, no ***; https://host/x"


def test_a_scheme_in_capitals_hides_no_password(environ: dict[str, str]) -> None:
    """Such as an LFS server's that `.lfsconfig` names, which gets the credentials of its repository."""
    access = access_to("HTTPS://me:p%2Fw@host/r", environ)
    assert (access.url, access.secrets) == ("https://host/r", ("p%2Fw", "p/w"))
    assert access_to("SSH://git:pw@host/r", environ).url == "ssh://git@host/r"


def test_a_setting_of_a_git_around_us_is_no_way_to_call_ssh(environ: dict[str, str]) -> None:
    """git does not get that setting: ssh would ask on the terminal."""
    around = {**environ, "GIT_CONFIG_PARAMETERS": "'core.sshCommand'='ssh -v'"}
    assert "BatchMode=yes" in access_to("git@host:r", around).variables(around)["GIT_SSH_COMMAND"]


def test_a_user_alone_keeps_the_credential_helpers(environ: dict[str, str]) -> None:
    access = access_to("https://me@host/r", environ)
    assert (access.url, access.settings) == ("https://host/r", (("credential.https://host.username", "me"),))


def test_a_token_as_the_user_is_masked_in_messages(environ: dict[str, str]) -> None:
    said = "could not read Password for 'https://tok@host'"
    assert "tok" not in access_to("https://tok@host/r", environ).mask(said)


def test_a_token_in_a_query_is_masked_in_messages(environ: dict[str, str]) -> None:
    said = "fatal: Authentication failed for 'https://host/r?token=tok/'"
    assert access_to("https://host/r?token=tok", environ).mask(said) == (
        "fatal: Authentication failed for 'https://host/r?***'"
    )


@pytest.mark.parametrize("location", ["https://u:a%0Ahost=evil@host/r", "https://u%00:p@host/r"])
def test_control_characters_cannot_be_smuggled(location: str, environ: dict[str, str]) -> None:
    with pytest.raises(SourceError, match="control characters") as raised:
        access_to(location, environ)
    assert "evil" not in raised.value.message


def test_nor_in_a_token(environ: dict[str, str]) -> None:
    with pytest.raises(SourceError, match=r"the token in \$GH_TOKEN contain control characters") as raised:
        access_to("https://github.com/o/r", {**environ, "GH_TOKEN": "a\nhost=evil"})
    assert "evil" not in raised.value.message


def test_a_token_of_the_environment(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    server.credentials = f"oauth2:{PASSWORD}"
    with pytest.raises(GitError, match="could not read Username"):
        listed(server.url("repository.git"), environ, tmp_path)
    environ[token_variable(server.address)] = PASSWORD
    assert "refs/heads/main" in listed(server.url("repository.git"), environ, tmp_path)
    if sys.platform == "linux":
        assert any("remote-http" in line for line in server.command_lines)
    assert not any(PASSWORD in line for line in server.command_lines)


def test_the_user_of_the_url_goes_with_the_token(
    server: GitServer, environ: dict[str, str], tmp_path: Path
) -> None:
    server.credentials = f"ada:{PASSWORD}"
    environ[token_variable(server.address)] = PASSWORD
    url = server.url("repository.git").replace("http://", "http://ada@")
    assert "refs/heads/main" in listed(url, environ, tmp_path)


def test_a_token_stays_with_its_host(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    elsewhere = GitServer(server.root, environ)
    elsewhere.credentials = "someone:else"
    server.redirect = f"http://{elsewhere.address}"
    environ[token_variable(server.address)] = PASSWORD
    with serving(elsewhere), pytest.raises(GitError):
        listed(server.url("repository.git"), environ, tmp_path)
    assert elsewhere.authorizations
    assert not any(elsewhere.authorizations)


def test_the_users_credential_helper_goes_before_the_token(
    server: GitServer, environ: dict[str, str], tmp_path: Path
) -> None:
    server.credentials = "ada:from-helper"
    helper = "!f() { echo username=ada; echo password=from-helper; }; f"
    Path(environ["HOME"], ".gitconfig").write_text(f'[credential]\n\thelper = "{helper}"\n')
    environ[token_variable(server.address)] = "wrong"
    assert "refs/heads/main" in listed(server.url("repository.git"), environ, tmp_path)


def test_askpass_is_kept(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    server.credentials = "ada:asked"
    ask = script(tmp_path / "ask", 'case "$1" in Username*) echo ada;; *) echo asked;; esac')
    assert "refs/heads/main" in listed(
        server.url("repository.git"), {**environ, "GIT_ASKPASS": ask}, tmp_path
    )


def test_the_users_extra_header_is_kept(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    server.credentials = "ada:header"
    line = "Authorization: Basic YWRhOmhlYWRlcg=="
    Path(environ["HOME"], ".gitconfig").write_text(
        f'[http "http://{server.address}/"]\n\textraHeader = {line}\n'
    )
    assert "refs/heads/main" in listed(server.url("repository.git"), environ, tmp_path)


def test_a_proxy_is_kept(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    environ["http_proxy"], environ["no_proxy"] = f"http://{server.address}", ""
    with pytest.raises(GitError):  # the proxy, which is no proxy, knows no such path
        listed("http://nowhere.invalid/r.git", environ, tmp_path)
    assert server.authorizations


def test_no_window_opens_to_ask(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    server.credentials = "ada:secret"
    window = script(tmp_path / "window", f"touch {tmp_path}/opened; echo ada")
    environ.update(SSH_ASKPASS=window, DISPLAY=":0")
    with pytest.raises(GitError, match="terminal prompts disabled"):
        listed(server.url("repository.git"), environ, tmp_path)
    assert not (tmp_path / "opened").exists()


def script(file: Path, text: str) -> str:
    """A program for the shell."""
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def ssh_command(environ: dict[str, str]) -> str | None:
    return access_to("git@host:o/r", environ).variables(environ).get("GIT_SSH_COMMAND")


def test_ssh_asks_nothing(environ: dict[str, str]) -> None:
    assert ssh_command(environ) == "ssh -oBatchMode=yes"


@pytest.mark.parametrize("variable", ["GIT_SSH_COMMAND", "GIT_SSH"])
def test_the_users_way_to_call_ssh_is_kept(environ: dict[str, str], variable: str) -> None:
    assert ssh_command({**environ, variable: "ssh -v"}) is None


def test_the_users_ssh_command_in_gits_configuration_is_kept(environ: dict[str, str]) -> None:
    Path(environ["HOME"], ".gitconfig").write_text("[core]\n\tsshCommand = ssh -v\n")
    assert ssh_command(environ) is None


def test_the_repository_that_the_caller_stands_in_has_no_say(
    repository: Repository, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("config", "core.sshCommand", "touch executed;")
    monkeypatch.chdir(repository.path)
    assert ssh_command(environ) == "ssh -oBatchMode=yes"
