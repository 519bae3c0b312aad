"""Which command lines ask for JSON: errors are an object on stdout then."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from projrun.cli.execution import execute, guarded
from projrun.errors import EnvironmentBuildError, ProjrunError, SourceError, TrackingError


@pytest.mark.parametrize(
    "line",
    [
        "run absent --json",
        "run --json absent",
        "run absent -P a=1 --json",
        "run absent -P --dry-run --json",
        "runs show absent --json",
    ],
)
def test_an_option_asks_for_json(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(line.split()) == 2
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


@pytest.mark.parametrize(
    "line",
    [
        "run -- --json",
        "run absent -e --json",
        "run absent --run-name --json",
        "runs show -- --json",
        "run absent",
    ],
)
def test_a_value_does_not(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(line.split()) in (2, 3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("line", ["run .", "plan . --json", "rerun latest", "runs list", "envs path ."])
def test_a_working_directory_that_is_gone_is_the_users_mistake(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert execute(line.split()) == 2
    assert capsys.readouterr().err == (
        "projrun: error: cannot use the working directory: No such file or directory; "
        "change to a folder that exists\n"
    )


def test_a_home_without_locks_is_named_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    (tmp_path / "MLproject").write_text("entry_points: {main: {command: touch ran}}\n")
    assert execute(["run", str(tmp_path), "--env-manager", "local"]) == 2
    said = capsys.readouterr().err
    assert "files cannot be locked on its file system" in said
    assert "set PROJRUN_HOME to a folder of yours on a local disk" in said
    assert not (tmp_path / "ran").exists()


INTERRUPTED_BY_AN_IMPORT = """
import os, signal, sys
import projrun.cli
class Finder:
    def find_spec(name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
projrun.cli.main(["plan", "."])
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        ("projrun.cli.execution", -signal.SIGINT, ""),
        ("projrun.cli.plain_lines", 130, "\nprojrun: error: interrupted by SIGINT\n"),
        ("projrun.running.plan", 130, "\nprojrun: error: interrupted by SIGINT\n"),
    ],
)
def test_an_interrupt_of_the_start_leaves_no_traceback(module: str, code: int, said: str) -> None:
    python = [sys.executable, "-c", INTERRUPTED_BY_AN_IMPORT, module]
    done = subprocess.run(
        python,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize(
    ("ending", "code", "status"),
    [
        (KeyboardInterrupt(), 130, "KILLED"),
        (EnvironmentBuildError("no index"), 4, "FAILED"),
        (ValueError(), 70, "FAILED"),
    ],
)
def test_a_recorded_run_that_an_error_ended_is_named(
    capsys: pytest.CaptureFixture[str], ending: BaseException, code: int, status: str
) -> None:
    def command() -> None:
        setattr(ending, "run_id", "3f2a")  # noqa: B010 - as the runner does
        raise ending

    assert guarded(command, as_json=True) == code
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["error", "exit_code", "run_id", "status"]
    assert (document["run_id"], document["status"], document["exit_code"]) == ("3f2a", status, code)


@pytest.mark.parametrize("kind", [TrackingError, SourceError, EnvironmentBuildError])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_one_exit_code_for_a_disk_that_takes_nothing(kind: type[ProjrunError], number: int) -> None:
    def command() -> None:
        raise kind(f"cannot write x: {os.strerror(number)}")

    def raw() -> None:
        raise OSError(number, os.strerror(number), "x")

    assert guarded(command) == guarded(raw) == 74
