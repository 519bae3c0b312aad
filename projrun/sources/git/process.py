"""Running the git binary on one of projrun's repositories: argv lists, a clean environment, and no process left behind.

Imported only when a repository is to be asked or fetched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from projrun.errors import SourceError
from projrun.execution.supervision.descendants import marked
from projrun.execution.supervision.guard import Guard
from projrun.execution.supervision.started import Started
from projrun.reporting import Meter
from projrun.sources.git.access import Access
from projrun.sources.git.command import git_environ

NETWORK_SETTINGS = (("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", "120"))
"""A server that stops sending ends the fetch: bytes a second, seconds."""

_GRACE_PERIOD = 1.0
"""Seconds that an orphaned git has to remove its own lock files."""


class GitError(Exception):
    """A git command failed; the text is what it said, without credentials."""


class Git:
    """The git binary at work in one repository, with the access to its remote."""

    def __init__(
        self,
        git_directory: Path,
        environ: Mapping[str, str],
        *,
        work_tree: Path | None = None,
        access: Access = Access(""),  # noqa: B008 - a NamedTuple
        protocols: str = "none",
        settings: Sequence[tuple[str, str]] = (),
        kept_open: Sequence[int] = (),
    ) -> None:
        """`protocols` as GIT_ALLOW_PROTOCOL takes them; `kept_open` are descriptors (locks) that stay open until git
        has ended, also where this process is killed before: then git is ended, too.

        Raises SourceError where git is not installed.
        """
        binary = shutil.which("git", path=environ.get("PATH"))
        if binary is None:
            raise SourceError(
                "git is not installed, and the project is in a git repository", hint="install git"
            )
        self.git_directory = git_directory
        self.access = access
        self.caller_environ = environ
        """Without what is added for git: for another git, with another access."""
        self._binary = binary
        self._folder = work_tree or git_directory
        self._kept_open = tuple(kept_open)
        everything = (*NETWORK_SETTINGS, *access.settings, *settings)
        self.environ = {
            **git_environ(environ, protocols=protocols, settings=everything),
            **access.variables(environ),
            "GIT_DIR": str(git_directory),
            **({} if work_tree is None else {"GIT_WORK_TREE": str(work_tree)}),
        }

    def run(self, *words: str, meter: Meter | None = None) -> str:
        """Its output. Raises GitError; on an interrupt all that it started has ended before that goes on.

        `meter` is moved by the progress that it says.
        """
        guard = self._guard()
        try:
            with Started(lambda: self._start(words, guard), _end) as process:
                output, said = _communicate(process, meter)
        finally:
            if guard is not None:
                guard.release()
        if process.returncode != 0:
            raise GitError(self.access.mask(said.decode(errors="replace")).strip())
        return output.decode(errors="surrogateescape")

    def _start(self, words: Sequence[str], guard: Guard | None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [self._binary, *words],
            cwd=self._folder if self._folder.is_dir() else None,
            env=self.environ if guard is None else marked(self.environ, guard.mark),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # For `_end`; and ssh, which would ask on the terminal, fails instead of waiting for an answer.
            start_new_session=True,
        )
        if guard is not None:
            guard.watch(process.pid)
        return process

    def _guard(self) -> Guard | None:
        """What ends git after this process was killed with -9, and keeps the locks until then.

        git itself does not get them: it hands them on to daemons that stay, such as that of `git credential-cache`.
        """
        if not self._kept_open:
            return None
        return Guard(_GRACE_PERIOD, kept_open=self._kept_open, mark=os.urandom(16).hex())


def _communicate(process: subprocess.Popen[bytes], meter: Meter | None) -> tuple[bytes, bytes]:
    if meter is None or process.stderr is None:
        return process.communicate()
    from projrun.sources.git.progress import Listener

    listener = Listener(process.stderr, meter)
    process.stderr = None  # the listener closes it
    output, _ = process.communicate()
    return output, listener.end()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and its helpers: one that waits for a silent server outlives git, and holds our pipe."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
