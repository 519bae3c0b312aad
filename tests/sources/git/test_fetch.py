from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from projrun.cache.entries import ContentCache
from projrun.errors import ProjrunError, RequestError, SourceError
from projrun.sources.checkout import Checkout
from projrun.sources.fetch import discard
from projrun.sources.git.access import access_to
from projrun.sources.git.process import Git, GitError
from tests.sources.conftest import Fetch
from tests.sources.git_servers import GitServer, Repository, file_server, git, serving

PASSWORD = "hunter2-Tok"


def depth(checkout: Checkout, environ: Mapping[str, str]) -> int:
    return int(git(checkout.root, "rev-list", "--count", "HEAD", environ=environ))


def left_over(checkouts: Path) -> list[Path]:
    """What lies in the cache but for mirrors: checkouts, whole or not, and copies."""
    copies = checkouts.with_name("copies")
    found = [entry.path for entry in ContentCache(checkouts).entries()]
    return [*found, *(copies.iterdir() if copies.exists() else [])]


def failure(
    fetched: Fetch, checkouts: Path, uri: str, version: str | None = None, **more: str
) -> ProjrunError:
    """The error of a fetch that must fail and leave nothing behind."""
    with pytest.raises(ProjrunError) as raised:
        fetched(uri, version, **more)
    assert left_over(checkouts) == []
    assert "\n" not in raised.value.message
    return raised.value


@pytest.mark.parametrize("place", ["served", "bare", "file"])
@pytest.mark.parametrize(
    ("version", "commit", "branch"),
    [
        (None, "third", "main"),
        ("HEAD", "third", "main"),
        ("main", "third", "main"),
        ("feature", "feature", "feature"),
        ("v1", "first", None),
        ("{first}", "first", None),
        ("{second}", "second", None),
        ("{SECOND}", "second", None),
        ("{short}", "second", None),
        ("{shorter}", "second", None),
    ],
)
def test_versions(
    fetched: Fetch,
    server: GitServer,
    repository: Repository,
    place: str,
    version: str | None,
    commit: str,
    branch: str | None,
) -> None:
    path = server.root / "repository.git"
    uri = {"served": server.url("repository.git"), "bare": str(path), "file": path.as_uri()}[place]
    hashes = repository._asdict()
    if version is not None:
        version = version.format(
            **hashes,
            SECOND=hashes["second"].upper(),
            short=hashes["second"][:7],
            shorter=hashes["second"][:6],
        )
    checkout = fetched(uri, version)
    assert (checkout.commit, checkout.branch, checkout.version) == (hashes[commit], branch, version)
    assert (checkout.root / "data.txt").read_text() == commit
    assert git(checkout.root, "rev-parse", "--abbrev-ref", "HEAD", environ=repository.environ) == (
        branch or "HEAD"
    )
    assert depth(checkout, repository.environ) == 1
    assert checkout.uri == checkout.repository == (uri if place == "served" else path.as_uri())
    assert checkout.owned == checkout.root
    discard(checkout)


def test_a_subfolder_of_a_repository(fetched: Fetch, server: GitServer, checkouts: Path) -> None:
    checkout = fetched(server.url("repository.git") + "#examples/v1.2", "main")
    assert checkout.uri.endswith("repository.git#examples/v1.2")
    assert checkout.directory == checkout.root / "examples" / "v1.2"
    assert (checkout.directory / "MLproject").is_file()
    discard(checkout)
    with pytest.raises(RequestError, match="at main has no folder 'nowhere'"):
        fetched(server.url("repository.git") + "#nowhere", "main")
    assert not list(checkouts.with_name("copies").iterdir())


def test_a_tag_before_a_branch_before_a_commit(
    fetched: Fetch, server: GitServer, repository: Repository
) -> None:
    bare = server.root / "repository.git"
    short = repository.second[:7]
    git(bare, "tag", "feature", repository.third, environ=repository.environ)
    git(bare, "tag", short, repository.third, environ=repository.environ)
    assert fetched(server.url("repository.git"), "feature").commit == repository.third
    assert fetched(server.url("repository.git"), "refs/heads/feature").commit == repository.feature
    assert fetched(server.url("repository.git"), short).commit == repository.third


def test_a_server_that_gives_out_no_commit_by_its_hash(
    fetched: Fetch, server: GitServer, repository: Repository
) -> None:
    server.protocol_2 = False
    assert fetched(server.url("repository.git"), repository.second).commit == repository.second
    assert fetched(server.url("repository.git")).branch == "main"


@pytest.mark.parametrize("version", [None, "feature", "v1", "{second}"])
def test_a_plain_web_server(
    fetched: Fetch, server: GitServer, repository: Repository, version: str | None
) -> None:
    git(server.root / "repository.git", "update-server-info", environ=repository.environ)
    plain = file_server(server.root)
    with serving(plain):
        uri = f"http://127.0.0.1:{plain.server_address[1]}/repository.git"
        checkout = fetched(uri, version and version.format(second=repository.second))
    expected = {None: repository.third, "feature": repository.feature, "v1": repository.first}
    assert checkout.commit == expected.get(version, repository.second)


def test_over_ssh(fetched: Fetch, server: GitServer, repository: Repository, tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"  # what an ssh client does with git's words, without the network
    ssh.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    bare = server.root / "repository.git"
    for uri in (f"git@host:{bare}", f"ssh://git@host{bare}"):
        checkout = fetched(uri, "v1", GIT_SSH=str(ssh), GIT_SSH_VARIANT="ssh")
        assert (checkout.commit, checkout.uri) == (repository.first, uri)


def test_the_checkout_is_private_and_knows_its_remote(
    fetched: Fetch, server: GitServer, repository: Repository
) -> None:
    checkout = fetched(server.url("repository.git"))
    assert checkout.root.stat().st_mode & 0o777 == 0o700
    assert (
        git(checkout.root, "remote", "get-url", "origin", environ=repository.environ) == checkout.repository
    )
    assert not list((checkout.root / ".git").glob("hooks/*"))
    assert git(checkout.root, "status", "--porcelain", environ=repository.environ) == ""


def test_variables_of_a_hook_are_not_followed(
    fetched: Fetch, server: GitServer, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = repository.git("rev-parse", "HEAD")
    for name, place in {"GIT_DIR": ".git", "GIT_WORK_TREE": "", "GIT_INDEX_FILE": ".git/index"}.items():
        monkeypatch.setenv(name, str(repository.path / place))  # as git sets them for its hooks
    checkout = fetched(server.url("repository.git"), "v1")
    assert (checkout.root / "data.txt").read_text() == "first"
    assert (repository.git("rev-parse", "HEAD"), repository.git("remote")) == (before, "")


@pytest.mark.parametrize("spelled", ["http://me:{}@{}/repository.git", "HTTP://me:{}@{}/repository.git"])
def test_credentials_are_used_and_never_shown(
    fetched: Fetch, server: GitServer, repository: Repository, spelled: str
) -> None:
    server.credentials = f"me:{PASSWORD}"
    checkout = fetched(spelled.format(PASSWORD, server.address))
    assert checkout.commit == repository.third
    assert any(server.authorizations)
    assert PASSWORD not in repr(checkout)
    for file in checkout.root.rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()
    if sys.platform == "linux":
        assert any("remote-http" in line for line in server.command_lines)
    assert not any(PASSWORD in line for line in server.command_lines)


def test_credentials_stay_with_their_host(
    fetched: Fetch, server: GitServer, checkouts: Path, environ: dict[str, str]
) -> None:
    elsewhere = GitServer(server.root, environ)
    elsewhere.credentials = "someone:else"
    server.redirect = f"http://{elsewhere.address}"
    with serving(elsewhere):
        # What keeps them is the host in the setting's name: no redirect is followed, and no other would get them.
        access = access_to(f"http://me:{PASSWORD}@{server.address}/repository.git", environ)
        git_process = Git(checkouts, environ, access=access, protocols="http")
        with pytest.raises(GitError):
            git_process.run("ls-remote", access.url)
    assert elsewhere.authorizations
    assert not any(elsewhere.authorizations)


def test_no_redirect_is_followed_with_credentials(
    fetched: Fetch, server: GitServer, checkouts: Path, environ: dict[str, str]
) -> None:
    elsewhere = GitServer(server.root, environ)
    server.redirect = f"http://{elsewhere.address}"
    with serving(elsewhere):
        error = failure(fetched, checkouts, f"http://me:{PASSWORD}@{server.address}/repository.git")
        assert "use the address that it redirects to" in error.hint
        assert not elsewhere.authorizations
        assert fetched(server.url("repository.git"), "v1").version == "v1"  # to whom nothing is shown


@pytest.mark.parametrize("user", ["", "me:wrong-secret@", "wrong-secret@"])
def test_wrong_credentials(fetched: Fetch, server: GitServer, checkouts: Path, user: str) -> None:
    server.credentials = f"me:{PASSWORD}"
    error = failure(fetched, checkouts, f"http://{user}{server.address}/repository.git")
    assert isinstance(error, SourceError)
    assert error.message.startswith(f"could not fetch {server.url('repository.git')}: fatal: ")
    assert "credential" in error.hint
    assert "wrong-secret" not in error.message + error.hint + error.detail


def test_what_is_not_there(
    fetched: Fetch, server: GitServer, repository: Repository, checkouts: Path
) -> None:
    uri = server.url("repository.git")
    assert "'mian'; did you mean 'main'?" in failure(fetched, checkouts, uri, "mian").message
    assert "has no branch, tag or commit 'deadbee'" in failure(fetched, checkouts, uri, "deadbee").message
    assert "has no branch, tag or commit" in failure(fetched, checkouts, uri, "0" * 40).message
    blob = repository.git("rev-parse", "HEAD:data.txt")
    assert "has no branch, tag or commit" in failure(fetched, checkouts, uri, blob).message
    error = failure(fetched, checkouts, server.url("nothing.git"))
    assert "not found" in error.message
    assert "check the address" in error.hint


@pytest.mark.processes
def test_an_ambiguous_short_hash(fetched: Fetch, repository: Repository, checkouts: Path) -> None:
    # 1,500 commits: that no two share their first four digits has a chance of one in ten million.
    stream = "".join(f"commit refs/heads/many\ncommitter x <x> {n} +0000\ndata 0\n\n" for n in range(1500))
    argv = ["git", "-C", str(repository.path), "fast-import", "--quiet"]
    subprocess.run(argv, input=stream.encode(), env=repository.environ, check=True)
    prefixes = [commit[:4] for commit in repository.git("rev-list", "many").splitlines()]
    shared = next(prefix for number, prefix in enumerate(prefixes) if prefix in prefixes[:number])
    assert "ambiguous" in failure(fetched, checkouts, str(repository.path), shared).message


def test_an_empty_repository(
    fetched: Fetch, server: GitServer, checkouts: Path, environ: dict[str, str]
) -> None:
    git(server.root, "init", "--quiet", "--bare", "empty.git", environ=environ)
    assert (
        "has no commit on its default branch" in failure(fetched, checkouts, server.url("empty.git")).message
    )


def test_a_detached_default_branch(fetched: Fetch, server: GitServer, repository: Repository) -> None:
    git(
        server.root / "repository.git",
        "update-ref",
        "--no-deref",
        "HEAD",
        repository.second,
        environ=repository.environ,
    )
    checkout = fetched(server.url("repository.git"))
    assert (checkout.commit, checkout.branch) == (repository.second, None)


def test_no_server(fetched: Fetch, checkouts: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        error = failure(fetched, checkouts, f"http://127.0.0.1:{reserved.getsockname()[1]}/r.git")
    assert error.exit_code == 3
    assert "Failed to connect" in error.message or "Couldn't connect" in error.message


def test_git_is_not_installed(fetched: Fetch, server: GitServer, checkouts: Path) -> None:
    assert failure(fetched, checkouts, server.url("repository.git"), PATH="").hint == "install git"


def test_checkouts_cannot_be_made(fetched: Fetch, server: GitServer, checkouts: Path) -> None:
    checkouts.parent.mkdir()
    checkouts.write_text("a file")
    with pytest.raises(SourceError, match="cannot keep a checkout in") as raised:
        fetched(server.url("repository.git"))
    assert "PROJRUN_CACHE_DIR" in raised.value.hint


def test_hooks_and_templates_of_the_machine_do_not_run(
    fetched: Fetch, server: GitServer, repository: Repository, tmp_path: Path
) -> None:
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    (hooks / "post-checkout").chmod(0o755)
    Path(repository.environ["HOME"], ".gitconfig").write_text(
        f"[init]\n\ttemplateDir = {tmp_path}/template\n[core]\n\thooksPath = {hooks}\n"
    )
    fetched(server.url("repository.git"))
    assert not (tmp_path / "executed").exists()
    git(
        tmp_path,
        "clone",
        "--quiet",
        str(server.root / "repository.git"),
        "control",
        environ=repository.environ,
    )
    assert (tmp_path / "executed").exists()


def test_the_default_branchs_name_is_hostile_input(
    fetched: Fetch, server: GitServer, repository: Repository
) -> None:
    bare = server.root / "repository.git"
    git(bare, "update-ref", "refs/heads/--orphan=x", repository.second, environ=repository.environ)
    git(bare, "symbolic-ref", "HEAD", "refs/heads/--orphan=x", environ=repository.environ)
    checkout = fetched(server.url("repository.git"))
    assert (checkout.commit, checkout.branch) == (repository.second, None)


@pytest.mark.parametrize(
    ("uri", "helper"), [("ext::sh -c touch% {marker}", ""), ("https://host/r", "ext::sh -c touch% {marker}")]
)
def test_no_transport_helper_runs(
    fetched: Fetch, checkouts: Path, environ: dict[str, str], tmp_path: Path, uri: str, helper: str
) -> None:
    marker = tmp_path / "executed"
    text = "[protocol]\n\tallow = always\n"
    if helper:  # even the person's own settings lead to no other protocol
        text += f'[url "{helper.format(marker=marker)}"]\n\tinsteadOf = https://host/r\n'
    Path(environ["HOME"], ".gitconfig").write_text(text)
    failure(fetched, checkouts, uri.format(marker=marker))
    assert not marker.exists()


@pytest.mark.processes
def test_links_out_of_the_checkout_are_not_entered(
    fetched: Fetch, repository: Repository, checkouts: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (repository.path / "out").symlink_to(tmp_path / "outside")
    repository.git("add", "out")
    repository.git("commit", "--quiet", "-m", "link")
    with pytest.raises(RequestError, match="leads out of it"):
        fetched(f"{repository.path}#out", "main")
    assert not checkouts.with_name("copies").exists()


@pytest.mark.processes
def test_filters_of_the_machine_do_not_run(fetched: Fetch, repository: Repository, tmp_path: Path) -> None:
    (repository.path / ".gitattributes").write_text("data.txt filter=bad\n")
    repository.git("add", ".gitattributes")
    repository.git("commit", "--quiet", "-m", "filtered")
    marker = tmp_path / "executed"
    settings = f'[filter "bad"]\n\tsmudge = touch {marker}; cat\n\trequired = true\n'
    Path(repository.environ["HOME"], ".gitconfig").write_text(settings)
    checkout = fetched(repository.path, "main")
    assert (checkout.root / "data.txt").read_text() == "third"
    discard(checkout)
    assert not marker.exists()
    git(tmp_path, "clone", "--quiet", str(repository.path), "control", environ=repository.environ)
    assert marker.exists()


INTERRUPTED = """
import os, sys
from pathlib import Path
from projrun.sources.fetch import fetch
from projrun.sources.options import FetchOptions
uri, cache = sys.argv[1:]
try:
    fetch(uri, None, FetchOptions(Path(cache), os.environ, Path("/")))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.processes
def test_an_interrupt_leaves_nothing(checkouts: Path, environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        port = silent.getsockname()[1]
        runner = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, f"http://127.0.0.1:{port}/r.git", str(checkouts)],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()  # git's helper waits for an answer now
        os.kill(runner.pid, signal.SIGINT)
        assert runner.communicate(timeout=60)[0] == "interrupted\n"
        assert left_over(checkouts) == []
        connection.settimeout(5)
        while connection.recv(4096):  # ends when the helper is gone
            pass
        connection.close()


@pytest.mark.processes
def test_read_only_files_are_discarded(fetched: Fetch, repository: Repository, tmp_path: Path) -> None:
    checkout = fetched(repository.path, "v1")
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    (checkout.root / "link").symlink_to(outside)
    (checkout.root / "closed").mkdir()
    (checkout.root / "closed" / "file").touch()
    (checkout.root / "closed").chmod(0o000)
    discard(checkout)
    assert not checkout.root.exists()
    assert outside.stat().st_mode & 0o777 == 0o500
    discard(checkout)  # twice is no error


def test_the_users_folder_is_never_discarded(fetched: Fetch, repository: Repository) -> None:
    discard(fetched(repository.path))
    assert repository.path.exists()
