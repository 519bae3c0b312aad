"""The output of a git process, bounded in bytes and in seconds; read in the background."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer
from types import TracebackType

from projrun.sources.git.work_tree import GitFailure, reason
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

_LONGEST_MESSAGE = 64 * 1024


class GitOutput:
    """A git process that has been started; a context manager, which leaves no process behind."""

    def __init__(
        self, directory: Path, words: Sequence[str], environ: Mapping[str, str], *, limit: int, timeout: float
    ) -> None:
        """`limit` in bytes. Raises GitFailure where git cannot be started."""
        self._directory, self._limit, self._timeout = directory, limit, timeout
        try:
            self._process = subprocess.Popen(
                ["git", "-C", str(directory), *words],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # for `_end`: a filter that git started must not outlive it
            )
        except OSError as error:
            raise GitFailure(f"git cannot be started: {error.strerror}") from None
        self._late = False
        self._said = b""
        self._timer = Timer(timeout, self._give_up)
        self._timer.daemon = True
        self._listener = Thread(target=self._listen, daemon=True)
        self._timer.start()
        self._listener.start()

    def __enter__(self) -> GitOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._end()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdout, self._process.stderr):
            _stream(stream).close()

    def read(self) -> tuple[bytes, bool]:
        """All that it prints, and True; or as much as the limit allows, and False.

        Raises GitFailure, with git's own words, where it failed or took too long.
        """
        output = _stream(self._process.stdout).read(self._limit + 1)
        if len(output) > self._limit:
            return output[: self._limit], False
        code = self._process.wait()
        if self._late:
            raise GitFailure(f"git took longer than {self._timeout:.0f} s")
        if code != 0:
            self._listener.join()
            raise GitFailure(reason(self._said.decode(errors="replace"), self._directory))
        return output, True

    def _give_up(self) -> None:
        self._late = True
        self._end()

    def _end(self) -> None:
        if self._process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _listen(self) -> None:
        stream = _stream(self._process.stderr)
        self._said = stream.read(_LONGEST_MESSAGE)
        while stream.read(_LONGEST_MESSAGE):  # else git would wait for a reader
            pass


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - both were asked for
    return stream
