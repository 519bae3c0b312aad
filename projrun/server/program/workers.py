"""Several processes that answer on the same sockets; one that dies is replaced."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from projrun.errors import ProjrunError

_ENDING = (signal.SIGINT, signal.SIGTERM)
_PAUSE = 1.0
"""Seconds before a process that died is replaced: one that cannot live is not started over and over."""

Work = Callable[[Callable[[], None]], None]


class Workers:
    """The processes of one server. Used by the main thread."""

    def __init__(self, work: Work) -> None:
        """`work` is called in each process, with what says that it is ready, and returns when a signal ends it."""
        self._work = work
        self._children: set[int] = set()
        self._stopping = False
        self._ready, self._says_ready = os.pipe()
        self._alive, self._kept_open = os.pipe()

    def run(self, count: int, ready: Callable[[], None]) -> None:
        """Until a signal ends them all; `ready` is called once all of them are."""
        before = {number: signal.signal(number, self._stop) for number in _ENDING}
        try:
            for _ in range(count):
                self._start()
            if self._all_ready(count):
                ready()
            self._watch()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self) -> None:
        child = os.fork()
        if child:
            self._children.add(child)
            if self._stopping:  # a signal that came meanwhile
                os.kill(child, signal.SIGTERM)
            return
        code = 1
        try:
            self._be_a_worker()
            self._work(lambda: _write_byte(self._says_ready))
            code = 0
        finally:
            os._exit(code)

    def _be_a_worker(self) -> None:
        """Ctrl-C of the terminal is for the first process, which passes it on; its death ends this one."""
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.close(self._kept_open)
        threading.Thread(target=self._end_with_the_first, daemon=True).start()

    def _end_with_the_first(self) -> None:
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _all_ready(self, count: int) -> bool:
        """Wait for all of them. Raises ProjrunError where one ends before."""
        got = 0
        while got < count and not self._stopping:
            if select.select([self._ready], [], [], 0.1)[0]:
                got += len(os.read(self._ready, count))
            child, _ = os.waitpid(-1, os.WNOHANG)
            self._children.discard(child)
            if child and not self._stopping:
                self._stop(signal.SIGTERM, None)
                self._watch()
                raise ProjrunError("a process of the server ended while it started")
        return got >= count

    def _watch(self) -> None:
        while self._children:
            child, _ = os.wait()
            self._children.discard(child)
            if not self._stopping:
                time.sleep(_PAUSE)
            if not self._stopping:
                self._start()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for child in self._children:
            os.kill(child, number)


def _write_byte(descriptor: int) -> None:
    os.write(descriptor, b"1")
