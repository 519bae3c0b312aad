"""Running the git binary on a repository of ours: argv lists, a clean environment, and no process left behind.

Imported only when a repository is to be asked or fetched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from projrun.errors import SourceError
from projrun.sources.access import Access
from projrun.sources.git_command import git_environ

NETWORK_SETTINGS = (("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", "120"))
"""A server that has fallen silent ends the fetch: bytes a second, seconds."""

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
        """`protocols` as GIT_ALLOW_PROTOCOL takes them; `kept_open` are descriptors that git inherits (locks).

        Raises SourceError where git is not installed.
        """
        binary = shutil.which("git", path=environ.get("PATH"))
        if binary is None:
            raise SourceError(
                "git is not installed, and the project is in a git repository", hint="install git"
            )
        self.git_directory = git_directory
        self.access = access
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

    def run(self, *words: str) -> str:
        """Its output. Raises GitError; on an interrupt all that it started has ended before that goes on."""
        process = subprocess.Popen(
            [self._binary, *words],
            cwd=self._folder if self._folder.is_dir() else None,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=self._kept_open,
            # For `_kill`; and ssh, which would ask on the terminal, fails instead of waiting for an answer.
            start_new_session=True,
        )
        try:
            with self._guarding(process.pid):
                output, said = process.communicate()
        except BaseException:
            _kill(process.pid)
            process.communicate()
            raise
        if process.returncode != 0:
            raise GitError(self.access.mask(said.decode(errors="replace")).strip())
        return output.decode(errors="surrogateescape")

    @contextmanager
    def _guarding(self, pid: int) -> Iterator[None]:
        """A git that keeps a lock ends soon after a runner that was killed with -9: others wait for it."""
        if not self._kept_open or os.name == "nt":
            yield
            return
        from projrun.execution.guard import Guard

        guard = Guard(_GRACE_PERIOD)
        try:
            guard.watch(pid)
            yield
        finally:
            guard.release()


def _kill(pid: int) -> None:
    """End git and its helpers: one that waits for a silent server outlives git, and holds our pipe."""
    if os.name == "nt":
        os.kill(pid, signal.SIGTERM)
    else:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
