"""The thread that records: from the first call of a process to its end."""

from __future__ import annotations

import os
import sys
import threading
from time import sleep

from . import state
from .environment import deadline, now, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .recorder import Recorder

_PAUSE = 0.5
"""Seconds between two deliveries, or two looks at one that takes long: a kill -9 loses twice as much at most."""
_LAST = 7.0
"""Seconds that the spool takes at the end, and all of it after TERM: more than a connection does that is being made."""
_BRIEF = 1.0
"""Seconds that a child has which gets TERM."""
_starting = threading.RLock()
_owner: list[int] = []
"""The process that ends the runs, not a child that was forked from it."""


class Sender:
    """A thread that takes what is in the queue to the server."""

    def __init__(self) -> None:
        from queue import SimpleQueue

        # A handler of signals may enter this in the middle of itself, unlike an Event.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._recorder: Recorder | None = None
        self.is_closing = False
        threading.Thread(target=self._work, name="projrun-log", daemon=True).start()

    def flush(self, timeout: float) -> bool:
        """Whether all that is in the queue now was dealt with in time."""
        reached = threading.Event()
        state.queue.append((None, lambda recorder: reached.set(), []))
        self._wake.put(None)
        return reached.wait(timeout)

    def close(self) -> None:
        """What cannot be recorded at once goes to the spool."""
        self.is_closing = True
        recorder = self._recorder
        if recorder is not None:
            recorder.calls.interrupt()
        if not self.flush(_LAST):
            warn("not recorded", "the server does not answer, and the values could not be kept in time")
        elif recorder is not None:
            recorder.calls.close()

    def _work(self) -> None:
        # The network's modules are imported here, beside the training.
        from contextlib import suppress
        from queue import Empty

        from .recorder import Recorder

        recorder = self._recorder = Recorder(self)
        threading.Thread(target=_keep, args=(recorder,), name="projrun-log-keeper", daemon=True).start()
        while True:
            with suppress(Empty):
                self._wake.get(timeout=_PAUSE)
            while not self._wake.empty():
                self._wake.get()
            try:
                recorder.deliver()
            except Exception as error:  # a bug of ours: training goes on
                warn("not recorded", f"{type(error).__name__}: {error}")


def _keep(recorder: Recorder) -> None:
    """While a call to the server takes long, what follows goes to the disk."""
    while True:
        sleep(_PAUSE)
        try:
            recorder.keep()
        except Exception as error:  # a full disk
            warn("not kept", f"{type(error).__name__}: {error}")


def flush(timeout: float | None = None) -> bool:
    """Wait until all that was logged is recorded, or waits in a file; at most `timeout` seconds."""
    sender = state.sender
    return True if sender is None else sender.flush(deadline() if timeout is None else timeout)


def prepare() -> None:
    """What the first call of a process needs."""
    if state.sender is None:
        with _starting:
            if state.sender is None:
                try:
                    state.sender = Sender()
                except RuntimeError as error:  # no more threads, or the interpreter ends
                    warn("not recorded", str(error))
                    return
                if not _owner:
                    _owner.append(os.getpid())
                    _prepare_end()


def _prepare_end() -> None:
    import atexit
    import signal

    atexit.register(_end)
    hook = sys.excepthook

    def failing(*about: Any) -> None:
        state.has_failed = True
        hook(*about)

    sys.excepthook = failing
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, frame: FrameType | None) -> None:
    """TERM ends the process, as it would have; its runs are KILLED."""
    import signal

    if os.getpid() in _owner:
        _end("KILLED", _LAST)
    else:  # whose parent waits for its end
        flush(_BRIEF)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end(status: str = "", timeout: float | None = None) -> None:
    """End the runs that are open, and record the rest, or leave it in the spool."""
    if os.getpid() in _owner:
        ended = {"status": status or ("FAILED" if state.has_failed else "FINISHED"), "end_time": now()}
        while state.open_runs:
            state.end_run(state.open_runs.pop(), ended)
    if state.sender is not None:
        flush(timeout)
        state.sender.close()


def _before_fork() -> None:
    """The child knows the runs that were started."""
    if not all(run.is_made.is_set() for run in state.open_runs):
        flush(_LAST)


def _after_fork() -> None:
    """The queue and the connection are the parent's."""
    state.sender = None
    while state.pipes:
        state.pipes.pop().close()
    state.queue.clear()
    state.open_runs.clear()
    if state.active():
        prepare()
    if "multiprocessing.util" in sys.modules:  # its processes end without the functions of atexit
        from multiprocessing import util

        # They forget at their start what their parent had to do at its end.
        util.register_after_fork(flush, lambda call: util.Finalize(None, call, exitpriority=1))
