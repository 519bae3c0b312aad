"""A process of our own that no interrupt leaves behind, not even one that comes while it starts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Generic, TypeVar

Process = TypeVar("Process", bound="subprocess.Popen[Any]")


class Started(Generic[Process]):
    """The process that `start` starts, for the `with` block; where the block fails, `end` ends it.

    Python runs signal handlers in the main thread, between any two steps: also between the fork and the moment
    when its caller knows the process. So another thread starts it, and an interrupt waits for that thread.
    Raises what `start` raises.
    """

    def __init__(self, start: Callable[[], Process], end: Callable[[Process], None]) -> None:
        self._start = start
        self._end = end
        self._process: Process | None = None
        self._error: Exception | None = None
        self._turn = Lock()  # taken once: by the thread that starts, or by an interrupt that came before it
        self._done = Event()  # `Thread.join` forgets its thread when it is interrupted (Python 3.11)

    def __enter__(self) -> Process:
        try:
            Thread(target=self._work).start()
            self._done.wait()
        except BaseException:
            if not self._turn.acquire(blocking=False):
                self._done.wait()
            self._undo()
            raise
        if self._process is None:
            raise self._error or RuntimeError("the process was not started")
        return self._process

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._undo()

    def _work(self) -> None:
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._process = self._start()
        except Exception as error:
            self._error = error
        finally:
            self._done.set()

    def _undo(self) -> None:
        if self._process is not None:
            self._end(self._process)
