"""Progress of a fetch: read by GitPython from the git that projrun started, and shown on terminals alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.reporting import Meter
from projrun.sources.git import progress
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.git.progress import Listener
from projrun.sources.options import FetchOptions
from tests.sources.git_servers import GitServer, Repository, git
from tests.support.commands import run_projrun
from tests.support.terminals import on_a_terminal


@pytest.fixture
def slow(server: GitServer, repository: Repository, tmp_path: Path) -> GitServer:
    """A server that takes about three seconds for 1.6 MB in eighty files."""
    for number in range(80):
        (repository.path / f"noise{number}").write_bytes(os.urandom(20_000))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "-m", "noise")
    repository.git("push", "--quiet", str(tmp_path / "served" / "repository.git"), "main")
    server.delay = 0.03
    return server


def heard(monkeypatch: pytest.MonkeyPatch, said: bytes) -> tuple[list[tuple[str, float]], bytes]:
    """How the meter moves, and what is kept, of what a process says."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    moves: list[tuple[str, float]] = []
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stderr.buffer.write(sys.stdin.buffer.read())"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process.stdin as stdin:
        stdin.write(said)
    listener = Listener(process.stderr, lambda text, share: moves.append((text, share)))
    process.wait()
    return moves, listener.end()


@pytest.mark.processes
def test_progress_and_messages_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    moves, kept = heard(
        monkeypatch,
        b"remote: Enumerating objects: 4, done.        \n"
        b"remote: Counting objects:  50% (2/4)        \rremote: Counting objects: 100% (4/4), done.\n"
        b"remote: Total 4 (delta 0), reused 0 (delta 0), pack-reused 0\n"
        b"Receiving objects:  25% (1/4), 1.50 MiB | 2.00 MiB/s\r"
        b"Receiving objects:  50% (2/4)\rfatal: early EOF\n"
        b"remote: Repository not found.\nno end of line",
    )
    assert moves == [
        ("counting objects: 2 of 4", 0.5),
        ("counting objects: 4 of 4", 1.0),
        ("1 of 4 objects, 1.50 MiB | 2.00 MiB/s", 0.25),
        ("2 of 4 objects", 0.5),
    ]
    assert kept == b"fatal: early EOF\nremote: Repository not found.\nno end of line\n"


@pytest.mark.processes
@pytest.mark.parametrize(
    "line",
    [
        b"Receiving objects: 100% (0/0)",
        b"Receiving objects: 50% (" + b"9" * 400 + b"/1)",
        b"remote: Receiving objects: \xff\xfe",
        b"remote: Counting objects: " + "٣".encode() + b"% (1/2)",
        b"Unheard of: 10% (1/10)",
        b"x" * 1_000_000,
    ],
)
def test_a_server_that_lies_moves_nothing(monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    moves, kept = heard(monkeypatch, line + b"\nfatal: the end\n")
    assert moves == []
    assert kept.endswith(b"fatal: the end\n")
    assert len(kept) < 10_000


def test_a_terminal_shows_percent_objects_and_bytes(slow: GitServer, tmp_path: Path) -> None:
    shown = on_a_terminal("run", slow.url("repository.git"), home=tmp_path / "home")
    percentages = [int(number) for number in re.findall(r"(\d+)% .*? of 8\d objects, [\d.]+ MiB", shown)]
    assert len(set(percentages)) > 3, shown
    assert percentages == sorted(percentages)
    assert "finished" in shown


@pytest.mark.processes
def test_a_pipe_shows_no_bar(slow: GitServer, tmp_path: Path) -> None:
    environ = {"PROJRUN_HOME": str(tmp_path / "home")}
    done = run_projrun("run", slow.url("repository.git"), "--env-manager=local", environ=environ).check()
    assert "%" not in done.stderr
    assert f"fetching {slow.url('repository.git')} …" in done.stderr


def test_a_failure_is_told_as_without_progress(
    server: GitServer, tmp_path: Path, environ: dict[str, str]
) -> None:
    @contextmanager
    def watched(text: str) -> Iterator[Meter | None]:
        yield lambda text, share: None

    @contextmanager
    def unwatched(text: str) -> Iterator[Meter | None]:
        yield None

    commit, said = "1" * 40, []
    for activity in (watched, unwatched):
        options = FetchOptions(tmp_path / activity.__name__, environ, tmp_path, activity=activity)
        with pytest.raises(SourceError) as raised:
            fetch_repository(server.url("nothing.git"), commit, options)
        said.append((raised.value.message, raised.value.hint, raised.value.detail))
    assert said[0] == said[1]


@pytest.mark.parametrize("watched", [True, False])
def test_the_callers_repository_has_no_say(
    server: GitServer, repository: Repository, tmp_path: Path, environ: dict[str, str], watched: bool
) -> None:
    """What is set in a git hook, or by who wants to mislead: GitPython's own commands would obey it."""
    theirs = tmp_path / "theirs"
    git(tmp_path, "init", "--quiet", str(theirs), environ=environ)
    before = sorted(path for path in theirs.rglob("*"))
    hostile = {
        **environ,
        "GIT_DIR": str(theirs / ".git"),
        "GIT_OBJECT_DIRECTORY": str(theirs / ".git" / "objects"),
        "GIT_CONFIG_PARAMETERS": f"'url.file:///nowhere/.insteadOf={server.url('')}'",
    }

    @contextmanager
    def activity(text: str) -> Iterator[Meter | None]:
        yield (lambda text, share: None) if watched else None

    options = FetchOptions(tmp_path / "cache", hostile, tmp_path, activity=activity)
    fetched = fetch_repository(server.url("repository.git"), "main", options)
    assert (fetched.tree / "data.txt").read_text() == "third"
    assert fetched.commit == repository.third
    assert sorted(path for path in theirs.rglob("*")) == before
    assert list((tmp_path / "cache").rglob("*.pack"))
