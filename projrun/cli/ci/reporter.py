"""The command line's reporter where a CI system reads along."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from projrun.cli.ci.conclusion import Conclusion, of_error, of_result
from projrun.cli.ci.systems import System, system_of
from projrun.cli.rendering import one_line
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import ProjrunError, RequestError
from projrun.reporting import unseen
from projrun.running.plan import Plan
from projrun.running.request import RunRequest
from projrun.running.runner import Result

_LOG_END = 65_536
"""Bytes of the output that the JUnit file shows."""


class CiReporter(CommandLineReporter):
    """Folds the log, annotates failures, and writes a summary and JUnit XML.

    What the command prints passes as it is: its own workflow commands work as without projrun.
    """

    def __init__(
        self, request: RunRequest, environ: Mapping[str, str], *, quiet: bool, ci: bool, junit: str | None
    ) -> None:
        """`ci`: whether the CI system hears of it; `junit`: the file to write."""
        super().__init__(quiet=quiet)
        self._request = request
        self._environ = environ
        self._system: System | None = system_of(environ) if ci else None
        self._folds = not quiet
        self._junit = _writable(request.caller_directory / junit) if junit else None
        self._log_end = b""

    def section(self, title: str, log: Path | None = None) -> AbstractContextManager[None]:
        """A part that the CI system folds."""
        return self._section(title, log) if self._system or self._junit else unseen(title)

    @contextmanager
    def _section(self, title: str, log: Path | None) -> Iterator[None]:
        if self._system and self._folds:
            self._mark(self._system.begin(title))
        try:
            yield
        finally:
            self._log_end = _end_of(log) if log else b""
            if self._system and self._folds:
                # The command may have left its last line open, and a mark is known at the beginning of a line only.
                is_open = self._log_end and not self._log_end.endswith(b"\n")
                self._mark(("\n" if is_open else "") + self._system.end())

    def ended(self, plan: Plan, result: Result, results: str) -> None:
        """The run has ended."""
        self._conclude(of_result(plan, result, results))

    def failed(self, error: ProjrunError) -> None:
        """Nothing could be run."""
        self._conclude(of_error(self._request, error))

    def _conclude(self, conclusion: Conclusion) -> None:
        if self._system and conclusion.status != "FINISHED":
            file = self._in_workspace(conclusion.file)
            reason = one_line(conclusion.reason or conclusion.status)
            annotation = self._system.error(
                f"projrun: {one_line(conclusion.title)}", reason, file, conclusion.line if file else 0
            )
            if annotation:
                self._mark(annotation)
        summary = self._environ.get("GITHUB_STEP_SUMMARY")
        try:
            if self._system and summary:
                from projrun.cli.ci.summary import append_summary

                append_summary(Path(summary), conclusion)
            if self._junit:
                from projrun.cli.ci.junit import write_junit
                from projrun.running.record.folding import folded

                shown = b"".join(folded([self._log_end])).decode("utf-8", "replace")
                write_junit(self._junit, conclusion, shown)
        except OSError as error:
            self.warning(f"cannot write {error.filename}: {error.strerror}")

    def _in_workspace(self, file: Path | None) -> str:
        """The path that GitHub knows a file of the workflow's repository by; empty for others."""
        workspace = self._environ.get("GITHUB_WORKSPACE")
        if not workspace or file is None:
            return ""
        real, root = file.resolve(), Path(workspace).resolve()
        return real.relative_to(root).as_posix() if real.is_relative_to(root) else ""

    def _mark(self, line: str) -> None:
        """A line of the CI system's language, which has escape sequences that are meant."""
        with self._lock, suppress(OSError):
            if sys.stderr is not None:
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()


def _writable(file: Path) -> Path:
    """The file; RequestError where it could not be written after the run, which may take hours."""
    target = file if file.exists() else file.parent
    if file.is_dir():
        reason = "it is a folder"
    elif not file.parent.is_dir():
        reason = "its folder does not exist"
    elif not os.access(target, os.W_OK):
        reason = "permission denied"
    else:
        return file
    raise RequestError(f"--junit-xml: {file} cannot be written: {reason}", hint="give the path of a file")


def _end_of(log: Path) -> bytes:
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - _LOG_END, 0))
            return file.read(_LOG_END)
    except OSError:
        return b""
