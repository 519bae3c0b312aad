"""Tests run in forks of the process that collected them: all of them, once, and none is spared for another's fault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.commands import Completed, run_command
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.integration  # starts pytest itself, many times

TESTS = """
import os, signal, warnings
from pathlib import Path

import pytest

import pytest

COLLECTED = os.getpid()

@pytest.mark.parametrize("number", range(24))
def test_some(number, tmp_path):
    with Path("ran").open("a") as file:
        file.write(f"{number} ")
    assert os.getpid() != COLLECTED
    assert "fork-" in tmp_path.parent.name
    print("printed by", number)
    if number == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 18:
        warnings.warn("told to the end")
    assert number != 14
"""
LEAK = """
def test_leak():
    import socket
    held = [socket.socket()]
    held.append(held)
"""


def run_tests(folder: Path, text: str, *options: str) -> Completed:
    """Run pytest on a file with these tests, in two forks."""
    (folder / "test_it.py").write_text(text)
    plugins = ["-p", "tests.support.forks", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:anyio"]
    argv = [sys.executable, "-m", "pytest", *plugins, f"--basetemp={folder / 'temporary'}", *options]
    environ = {"PYTHONPATH": str(REPOSITORY), "PYTEST_ADDOPTS": ""}
    return run_command([*argv, "--forks", "2", "test_it.py"], cwd=folder, environ=environ)


def test_every_test_runs_once_whatever_another_does(tmp_path: Path) -> None:
    ended = run_tests(tmp_path, TESTS)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "2 failed, 22 passed, 1 warning" in ended.stdout
    assert "the process that ran this test ended with -9" in ended.stdout
    assert "printed by 14" in ended.stdout
    assert "printed by 13" not in ended.stdout
    assert "UserWarning: told to the end" in ended.stdout
    assert sorted(map(int, (tmp_path / "ran").read_text().split())) == list(range(24))


def test_the_first_failure_is_the_last_where_asked(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.parametrize('n', range(999))\ndef test(n): 1 / 0"
    ended = run_tests(tmp_path, text, "-x")
    assert ended.returncode == 1
    assert "stopping after" in ended.stdout
    assert "999 failed" not in ended.stdout


def test_what_nobody_closed_fails_the_last_test(tmp_path: Path) -> None:
    ended = run_tests(tmp_path, LEAK, "-W", "error")
    assert ended.returncode == 1
    assert "unclosed <socket" in ended.stdout
