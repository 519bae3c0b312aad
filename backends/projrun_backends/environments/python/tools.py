"""Running pip, uv and virtualenv: their output goes to the build log, nothing outlives an interrupt or the runner."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import IO

from projrun.environments.protocol import Progress
from projrun.execution.supervision.descendants import marked
from projrun.execution.supervision.guard import Guard
from projrun.execution.supervision.started import Started
from projrun_backends.environments.python.index_credentials import masked

_KEPT_LINES = 20
_SHOWN = ("Downloading", "Building", "Installing", "Compiling")
"""How lines begin that say what is happening now, in pip's words and in uv's."""
_NEXT = {"Resolved": "Fetching", "Prepared": "Installing"}
"""Those that say what is over, of so many packages, and what begins then."""
_SHOWN_WIDTH = 100
_PATIENCE = 2.0
"""Seconds that an interrupted tool has to end by itself."""

_STRAY_VARIABLES = frozenset(
    {
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONOPTIMIZE",
        "__PYVENV_LAUNCHER__",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_USER",
        "PIP_PYTHON",
        "PIP_NO_COMPILE",
        "PIP_REQUIREMENT",
        "PIP_DRY_RUN",
        "PIP_REPORT",
        "PIP_LOG",
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_PROJECT",
        "UV_WORKING_DIR",
        "UV_PROJECT_ENVIRONMENT",
        "UV_NO_EDITABLE",
    }
)
"""Variables of the caller that would make an installer write elsewhere, or leave no bytecode."""


class ToolError(Exception):
    """A tool failed; `tail` is the end of its output."""

    def __init__(self, tool: str, code: int, tail: Sequence[str]) -> None:
        super().__init__(f"{tool} failed with exit code {code}")
        self.tool = tool
        self.code = code
        self.tail = tuple(tail)


def build_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment as installers get it: no questions, no colours, bytecode written."""
    kept = {name: value for name, value in environ.items() if name not in _STRAY_VARIABLES}
    # PIP_USER=0 also overrules `user = true` of a configuration file, which fails in a virtual environment.
    quiet = {"NO_COLOR": "1", "PIP_USER": "0", "PIP_NO_INPUT": "1", "PYTHONUNBUFFERED": "1"}
    # An environment may be removed under a pip that a killed builder left: never into the Python it was made from.
    quiet["PIP_REQUIRE_VIRTUALENV"] = "1"
    return {**kept, **quiet, "GIT_TERMINAL_PROMPT": kept.get("GIT_TERMINAL_PROMPT", "0")}


class ToolRunner:
    """Runs the tools of one build, one after another."""

    def __init__(
        self,
        log: Path,
        environ: Mapping[str, str],
        secrets: Iterable[str],
        progress: Progress,
        directory: Path,
    ) -> None:
        self._log = log
        self._environ = environ
        self._secrets = frozenset(secrets)
        self._progress = progress
        self._directory = directory

    def with_variables(self, variables: Mapping[str, str]) -> ToolRunner:
        """The same, with these variables for each tool."""
        environ = {**self._environ, **variables}
        return ToolRunner(self._log, environ, self._secrets, self._progress, self._directory)

    def run(
        self,
        tool: str,
        argv: Sequence[str | Path],
        *,
        directory: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Run to the end; `variables` are laid over the environment. Raises ToolError; kills on an interrupt."""
        words = [str(word) for word in argv]
        tail: deque[str] = deque(maxlen=_KEPT_LINES)
        with closing(_Log(self._log)) as log, ExitStack() as undo:
            guard = Guard(_PATIENCE, mark=os.urandom(16).hex())
            undo.callback(guard.release)
            log.write(masked(f"$ {' '.join(words)}", self._secrets))
            environ = marked({**self._environ, **(variables or {})}, guard.mark)

            def start() -> subprocess.Popen[str]:
                process = self._start(tool, words, directory, environ, log)
                guard.watch(process.pid)
                return process

            with Started(start, _stop) as process:
                for line in self._output(process):
                    log.write(line)
                    if line.strip():
                        tail.append(line)
                        self._show(line.strip())
                code = process.wait()
        if code:
            raise ToolError(tool, code, tail)

    def capture(self, tool: str, argv: Sequence[str | Path]) -> str:
        """The standard output of a tool that is quick. Raises ToolError."""
        done = subprocess.run(
            [str(word) for word in argv],
            env=self._environ,
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            lines = masked(done.stderr, self._secrets).splitlines()
            raise ToolError(tool, done.returncode, lines[-_KEPT_LINES:])
        return masked(done.stdout, self._secrets)

    def _start(
        self, tool: str, words: list[str], directory: Path | None, environ: Mapping[str, str], log: _Log
    ) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                words,
                env=environ,
                cwd=directory or self._directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            message = f"{tool} cannot be started: {error.strerror}"
            log.write(message)
            raise ToolError(tool, 127, [message]) from None

    def _output(self, process: subprocess.Popen[str]) -> Iterable[str]:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        with process.stdout as stream:
            for line in stream:
                yield masked(line.rstrip(), self._secrets)

    def _show(self, line: str) -> None:
        phase = _phase(line)
        if phase:
            self._progress(phase if len(phase) <= _SHOWN_WIDTH else f"{phase[: _SHOWN_WIDTH - 1]}…")


def _phase(line: str) -> str:
    """What begins with a line of pip or uv; empty for the others."""
    ended = re.match(r"(Resolved|Prepared) (\d+ packages?)", line)
    if ended:
        return f"{_NEXT[ended[1]]} {ended[2]}"
    # pip downloads a small `.metadata` file for each version that it considers.
    return line if line.startswith(_SHOWN) and ".metadata (" not in line else ""


class _Log:
    """The build log. What the tool said counts more: a full disk must not hide it."""

    def __init__(self, file: Path) -> None:
        self._stream: IO[str] | None = None
        with suppress(OSError):
            self._stream = file.open("a", encoding="utf-8", errors="replace")

    def write(self, line: str) -> None:
        with suppress(OSError):
            if self._stream is not None:
                self._stream.write(f"{line}\n")

    def close(self) -> None:
        with suppress(OSError):
            if self._stream is not None:
                self._stream.close()


def _stop(process: subprocess.Popen[str]) -> None:
    """End the tool and all that it started."""
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: subprocess.Popen[str], signum: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signum)
