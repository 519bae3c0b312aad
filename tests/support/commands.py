"""Running real commands from tests, always with a time limit, and tools that a machine may lack."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

from tests.support.warm import Started, WarmCommand


class Completed(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str

    def check(self) -> Completed:
        """Itself; AssertionError with all the output where the command failed."""
        assert self.returncode == 0, f"exit code {self.returncode}\n{self.stdout}\n{self.stderr}"
        return self


def projrun_argv() -> list[str]:
    """The console script of the environment that the tests run in."""
    script = Path(sys.executable).parent / "projrun"
    assert script.exists(), (
        f"{script} is missing: install the project into this environment (pip install -e .)"
    )
    return [str(script)]


def run_command(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 120,
    stdin: str = "",
) -> Completed:
    """Run a command to its end. `environ` is laid over the test's environment.

    Raises subprocess.TimeoutExpired after `timeout` seconds: no test hangs.
    """
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return Completed(done.returncode, done.stdout, done.stderr)


def run_projrun(
    *arguments: str | Path,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 120,
    stdin: str = "",
) -> Completed:
    """Run the `projrun` command in its own process, forked from one that has it imported where possible."""
    whole = {**os.environ, **(environ or {})}
    words, given = [str(word) for word in arguments], stdin.encode()
    warm = warm_command()
    if not warm.serves(whole, given):
        return run_command([*projrun_argv(), *words], cwd=cwd, environ=environ, timeout=timeout, stdin=stdin)
    ended = warm.run(words, environ=whole, folder=cwd or Path.cwd(), stdin=given, timeout=timeout)
    return Completed(ended.returncode, _text(ended.stdout), _text(ended.stderr))


def start_projrun(*arguments: str | Path, cwd: Path, environ: Mapping[str, str] | None = None) -> Started:
    """Start the `projrun` command in its own process, forked from one that has it imported; for signals."""
    words, whole = [str(word) for word in arguments], {**os.environ, **(environ or {})}
    assert warm_command().serves(whole, b""), "start the console script where Python's own variables differ"
    return warm_command().start(words, environ=whole, folder=cwd)


def start_python(code: str, *arguments: str | Path) -> Started:
    """Start what `python -c` would, forked from a process that has all of projrun imported."""
    words = [str(word) for word in arguments]
    return warm_command().start(words, environ=os.environ, folder=Path.cwd(), code=code)


@cache
def warm_command() -> WarmCommand:
    """The server of this process; it ends with the process."""
    warm = WarmCommand(*projrun_argv())
    atexit.register(warm.close)
    return warm


def _text(output: bytes) -> str:
    return output.decode().replace("\r\n", "\n").replace("\r", "\n")


def require_tool(name: str) -> str:
    """The path of a program; skips the test where a person's machine lacks it, and fails in CI."""
    found = shutil.which(name)
    return found or missing(f"{name} is not installed")


def missing(reason: str) -> NoReturn:
    """Skip on a person's machine, fail in CI (`CI=true`), where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must have it")
    pytest.skip(reason)
