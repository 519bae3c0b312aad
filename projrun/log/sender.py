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
_AGAIN = 0.1
"""Seconds after which the main thread of such a child is interrupted once more."""
_starting = threading.RLock()
_forking = threading.local()
"""Its `mask` is what the thread that forks had blocked of signals."""
_owner: list[int] = []
"""The process that ends the runs, not a child that was forked from it."""
_terminating: list[int] = []
"""Processes that have got TERM: this one, or those that it was forked from."""
_wakeups: list[int] = []
"""The descriptor that signals are written to for `_interrupt`, here or in the parent."""


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
        os.register_at_fork(before=_before_fork, after_in_parent=_unmask, after_in_child=_after_fork)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, frame: FrameType | None) -> None:
    """TERM ends the process, as it would have; its runs are KILLED."""
    import signal

    if os.getpid() in _terminating:  # interrupted once more
        return
    _terminating.append(os.getpid())
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
    import signal

    if not all(run.is_made.is_set() for run in state.open_runs):
        flush(_LAST)
    # A child forgets signals that come before Python has begun in it, and whoever sent one would wait for ever.
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def _unmask() -> None:
    import signal

    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _after_fork() -> None:
    """The queue and the connection are the parent's."""
    state.sender = None
    _watch_termination()
    _unmask()
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


def _watch_termination() -> None:
    """Have a thread of a forked process notice TERM: parents send it once, and wait.

    A main thread that waits for the other ones before it waits in C, as for a pool's next task, does not look for
    signals in between.
    """
    import signal

    if signal.getsignal(signal.SIGTERM) is not _terminated:
        return
    received, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    before = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    if before not in (-1, *_wakeups):  # a loop of the script's, which looks for signals itself
        signal.set_wakeup_fd(before)
        os.close(received)
        os.close(wakeup)
        return
    _wakeups[:] = [wakeup]
    arguments = (received, threading.get_ident())
    threading.Thread(target=_interrupt, args=arguments, name="projrun-log-term", daemon=True).start()


def _interrupt(received: int, main: int) -> None:
    import signal

    while signal.SIGTERM not in os.read(received, 64):
        pass
    while True:
        sleep(_AGAIN)
        signal.pthread_kill(main, signal.SIGTERM)
