from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.sources.git.access import Access
from projrun.sources.git.process import Git, GitError
from tests.execution.supervision.support import eventually, is_running, read_pid
from tests.sources.git_servers import Repository


def test_what_git_prints(repository: Repository) -> None:
    at_work = Git(repository.path / ".git", repository.environ)
    assert at_work.run("rev-parse", "HEAD") == f"{repository.third}\n"


def test_what_git_says_when_it_fails(repository: Repository) -> None:
    at_work = Git(repository.path / ".git", repository.environ, access=Access("", secrets=("nowhere",)))
    with pytest.raises(GitError, match=r"unknown revision or path|ambiguous argument '\*\*\*'"):
        at_work.run("log", "nowhere")


def test_no_git(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="git is not installed"):
        Git(tmp_path, {"PATH": str(tmp_path)})


def test_names_that_are_no_utf8(repository: Repository) -> None:
    name = os.fsdecode(b"caf\xe9")
    (repository.path / name).touch()
    repository.git("add", "--all")
    at_work = Git(repository.path / ".git", repository.environ, work_tree=repository.path)
    assert name in at_work.run("ls-files", "-z").split("\0")


@pytest.mark.parametrize("protocols", ["none", "https:ssh"])
def test_no_protocol_but_those_allowed(repository: Repository, tmp_path: Path, protocols: str) -> None:
    at_work = Git(repository.path / ".git", repository.environ, protocols=protocols)
    for place in (repository.path.as_uri(), f"ext::touch {tmp_path}/executed", "git://127.0.0.1:1/x"):
        with pytest.raises(GitError, match="not allowed"):
            at_work.run("ls-remote", place)
    assert not (tmp_path / "executed").exists()


@pytest.mark.processes
def test_nobody_is_asked(repository: Repository, tmp_path: Path) -> None:
    """Neither the terminal nor standard input: git would wait for ever."""
    script = "from projrun.sources.git.process import Git; import os, sys; from pathlib import Path\n"
    script += "print(repr(Git(Path(sys.argv[1]), os.environ).run('hash-object', '--stdin')))"
    argv = [sys.executable, "-c", script, str(repository.path / ".git")]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(repository.environ)
    ) as asked:
        try:
            assert asked.wait(timeout=60) == 0
        finally:
            asked.kill()
        assert asked.stdout is not None
        assert b"e69de29" in asked.stdout.read()  # the hash of nothing


@pytest.mark.parametrize("guarded", [False, True])
def test_an_interrupt_ends_all_that_git_started(
    repository: Repository, tmp_path: Path, guarded: bool
) -> None:
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\ntrap '' TERM INT\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    helper.chmod(0o755)
    with (tmp_path / "lock").open("w") as lock:
        at_work = Git(
            repository.path / ".git",
            {**repository.environ, "GIT_SSH": str(helper)},
            protocols="ssh",
            kept_open=[lock.fileno()] if guarded else [],
        )

        def interrupt() -> None:
            read_pid(tmp_path / "pid")
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        before = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            at_work.run("ls-remote", "ssh://host.invalid/r.git")
        thread.join()
    assert time.monotonic() - before < 20
    pid = read_pid(tmp_path / "pid")
    eventually(lambda: not is_running(pid), "the end of git's helper")
    eventually(lambda: _children() == [], "the end of git and its guard")


def test_a_lock_is_given_to_no_daemon_that_git_starts(repository: Repository, tmp_path: Path) -> None:
    """`git credential-cache` leaves one that stays for minutes, and has what git has."""
    import fcntl

    (tmp_path / "daemon").write_text('#!/bin/sh\nsleep 5 > /dev/null 2>&1 &\necho $! > "$0.pid"\nexit 1\n')
    (tmp_path / "daemon").chmod(0o755)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environ = {**repository.environ, "GIT_SSH": str(tmp_path / "daemon")}
        at_work = Git(repository.path / ".git", environ, protocols="ssh", kept_open=[lock.fileno()])
        with pytest.raises(GitError):
            at_work.run("ls-remote", "ssh://host.invalid/r.git")
    daemon = read_pid(tmp_path / "daemon.pid")
    assert is_running(daemon)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.kill(daemon, signal.SIGKILL)


def _children() -> list[str]:
    """Of this process: neither git nor a guard may be left."""
    words = ["ps", "--no-headers", "-o", "pid=,args=", "--ppid", str(os.getpid())]
    listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    return [line for line in listed if "git" in line or "guard" in line]
