"""The lines by which a CI system folds its log and marks failures; each system has rules of its own for quoting."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from projrun.cli.rendering import one_line
from projrun.typed import Protocol


class System(Protocol):
    """The language of one CI system's log. What is returned is a line as it is to be written, without its newline."""

    def begin(self, title: str) -> str:
        """A part begins that can be folded."""
        ...

    def end(self) -> str:
        """It ends."""
        ...

    def error(self, title: str, message: str, file: str, line: int) -> str:
        """An annotation; empty where the system has none. `file` may be empty, `line` 0."""
        ...


class GitHub:
    """https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""

    def begin(self, title: str) -> str:
        return f"::group::{_data(title)}"

    def end(self) -> str:
        return "::endgroup::"

    def error(self, title: str, message: str, file: str, line: int) -> str:
        named = {"file": file, "line": str(line or ""), "title": title}
        properties = ",".join(f"{name}={_property(value)}" for name, value in named.items() if value)
        return f"::error {properties}::{_data(message)}"


class GitLab:
    """https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections"""

    def __init__(self) -> None:
        self._name = ""

    def begin(self, title: str) -> str:
        self._name = f"projrun_{os.urandom(4).hex()}"
        return f"\x1b[0Ksection_start:{int(time.time())}:{self._name}\r\x1b[0K{one_line(title)}"

    def end(self) -> str:
        return f"\x1b[0Ksection_end:{int(time.time())}:{self._name}\r\x1b[0K"

    def error(self, title: str, message: str, file: str, line: int) -> str:
        return ""  # a job's log has none: GitLab takes failures from JUnit XML


def system_of(environ: Mapping[str, str]) -> System | None:
    """The CI system in which this process runs, if it is one of these."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return GitHub()
    return GitLab() if environ.get("GITLAB_CI") == "true" else None


def _data(text: str) -> str:
    """Also a newline is text, so nothing in it can begin a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
