"""What ends a command: signals at any moment, readers that leave, a full disk, a bug; and its one JSON object."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import projrun_argv, run_projrun
from tests.support.projects import python_project, write_project
from tests.support.questions import ask_projrun

pytestmark = pytest.mark.integration  # starts the console script itself


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A web server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PROJRUN_HOME": str(tmp_path / "home"), "PROJRUN_ENV_MANAGER": "local"}


def shell(line: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    line = line.replace("projrun", shlex.quote(projrun_argv()[0]), 1)
    return subprocess.run(
        ["bash", "-c", line], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def status_of_runs(environ: dict[str, str]) -> list[str]:
    listed = ask_projrun("runs", "list", "--json", environ=environ).check()
    return [run["status"] for run in json.loads(listed.stdout)["runs"]]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_source_is_fetched(
    silent_server: socket.socket, environ: dict[str, str], signum: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [*projrun_argv(), "run", f"http://127.0.0.1:{silent_server.getsockname()[1]}/x.git", "--json"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with silent_server.accept()[0]:
        process.send_signal(signum)
        stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == code
    assert stderr == f"projrun: error: interrupted by {signum.name}\n"
    assert json.loads(stdout)["exit_code"] == code
    assert not Path(environ["PROJRUN_HOME"], "cache", "checkouts").exists()


@pytest.mark.parametrize("command", ["config", "status"])
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_git_is_asked_about_the_folder(
    tmp_path: Path, environ: dict[str, str], command: str, signum: signal.Signals, code: int
) -> None:
    project = python_project(tmp_path / "project", "")
    subprocess.run(["git", "init", "--quiet", project], check=True)
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(
        f'#!/bin/sh\nPATH="{environ["PATH"]}"\ncase " $* " in *" {command} "*) '
        f'echo $$ > "{tmp_path}/new"; mv "{tmp_path}/new" "{tmp_path}/pid"; exec sleep 60;; esac\nexec git "$@"'
    )
    git.chmod(0o755)
    environ["PATH"] = f"{git.parent}:{environ['PATH']}"
    with subprocess.Popen([*projrun_argv(), "run", project], env=environ, stderr=subprocess.PIPE) as process:
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        process.send_signal(signum)
        assert (
            process.communicate(timeout=120)[1].decode() == f"projrun: error: interrupted by {signum.name}\n"
        )
    assert process.returncode == code
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "--json >&-"])
def test_closed_standard_streams_are_no_error(tmp_path: Path, environ: dict[str, str], closed: str) -> None:
    project = python_project(tmp_path / "project", "raise SystemExit(7)")
    assert shell(f"projrun run {shlex.quote(str(project))} {closed}", environ).returncode == 7
    assert status_of_runs(environ) == ["FAILED"]


@pytest.mark.parametrize("command", ["runs list", "plan {}", "version"])
def test_nothing_needs_stdout(tmp_path: Path, environ: dict[str, str], command: str) -> None:
    project = write_project(tmp_path / "project", "entry_points: {main: {command: 'true'}}\n")
    run_projrun("run", project, environ=environ).check()
    done = shell(f"projrun {command.format(shlex.quote(str(project)))} >&-", environ)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["version", "--version"])
def test_the_version_on_a_full_disk_and_without_a_reader(environ: dict[str, str], command: str) -> None:
    if Path("/dev/full").exists():
        full = shell(f"projrun {command} > /dev/full", environ)
        assert (full.returncode, full.stderr.splitlines()) == (
            74,
            ["projrun: error: cannot write: No space left on device; free some space"],
        )
    done = shell(f"(sleep 0.2; projrun {command}; echo $? >&2) | true", environ)
    assert done.stderr == "0\n"


def test_a_reader_that_leaves_ends_neither_the_run_nor_its_exit_code(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    project = python_project(tmp_path / "project", "raise SystemExit(7)")
    for streams in ("2>&1 |", "--json |", "--json 2>&1 |"):
        done = shell(
            f"projrun run {shlex.quote(str(project))} {streams} true; exit ${{PIPESTATUS[0]}}", environ
        )
        assert (done.returncode, done.stderr) == (7, "" if "2>" in streams else done.stderr)
    assert status_of_runs(environ) == ["FAILED"] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", ["plan {}", "plan {} --json", "run {} --json", "check {}"])
def test_output_to_a_full_disk_is_a_line_and_no_bug(
    tmp_path: Path, environ: dict[str, str], command: str
) -> None:
    project = python_project(tmp_path / "project", "")
    done = shell(f"projrun {command.format(shlex.quote(str(project)))} > /dev/full", environ)
    assert done.returncode == 74
    assert (
        done.stderr.splitlines()[-1]
        == "projrun: error: cannot write: No space left on device; free some space"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_text_that_stdout_cannot_show(tmp_path: Path, environ: dict[str, str], encoding: str) -> None:
    project = write_project(tmp_path / "project", "name: 'é😀'\nentry_points: {main: {command: 'true é'}}")
    environ["PYTHONIOENCODING"] = encoding
    assert "true" in run_projrun("plan", project, environ=environ).check().stdout
    as_json = run_projrun("plan", project, "--json", environ=environ).check()
    assert json.loads(as_json.stdout)["project"] == "é😀"


def test_a_bug_is_one_object_too(tmp_path: Path, environ: dict[str, str]) -> None:
    script = (
        "import sys, projrun.running.plan\n"
        "from projrun.cli.execution import execute\n"
        "def make_plan(request, context, **more): raise ZeroDivisionError\n"
        "projrun.running.plan.make_plan = make_plan\n"
        "sys.exit(execute(['run', '.', '--json']))\n"
    )
    environ["TMPDIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    error = json.loads(done.stdout)["error"]
    assert error["message"] == "a bug in projrun: ZeroDivisionError"
    (report,) = tmp_path.glob("projrun-bug-*.txt")
    assert str(report) in error["hint"]
    assert "ZeroDivisionError" in report.read_text()


def test_a_group_alone_shows_its_help() -> None:
    for words in ((), ("runs",), ("envs",)):
        done = run_projrun(*words)
        assert "Commands:" in done.stdout + done.stderr
        assert "error" not in done.stderr
