"""What the runner does with signals: undo a build, or forward them to the job. Only the CLI installs this."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType

from projrun.errors import Stopped
from projrun.execution.protocol import Job, Outcome
from projrun.execution.supervision.ending import interrupted
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
RELAYED = (
    *_INTERRUPTING, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH,
)  # fmt: skip


_MOST_HELD = 3
"""Signals that wait for a start to end, before another may give it up: as many as it takes to reach KILL."""


class Interrupted(Stopped):
    """A signal came while no job was running: the current build is undone, and the run is KILLED."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        self.outcome: Outcome = interrupted(signum)
        super().__init__(self.outcome.reason)

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as a shell has it: 130 for INT, 143 for TERM."""
        return self.outcome.exit_code


_PATIENCE = 5.0
"""Seconds after KILL, or after the third signal during a start, from which on another signal gives up the job."""


def escalated(signum: int, earlier: Sequence[int]) -> int:
    """The signal to pass on for `signum` after those passed on `earlier`.

    The first Ctrl-C is INT, so that a script can write its checkpoint for as long as it takes; the
    second is TERM, which starts the grace period; the third is KILL.
    """
    if signum != signal.SIGINT or signal.SIGINT not in earlier:
        return signum
    return signal.SIGKILL if signal.SIGTERM in earlier else signal.SIGTERM


@contextmanager
def held_back(signums: Sequence[int]) -> Iterator[None]:
    """These signals come after the `with` block. For blocks of milliseconds: nothing can interrupt them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signums)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class SignalRelay:
    """Signal handlers for the `with` block, in the main thread: Interrupted without a job, relayed with one.

    A signal that is ignored from the start (`nohup projrun run`, a script's background job) stays ignored.
    """

    def __init__(self) -> None:
        self._job: Job | None = None
        self._held: list[int] | None = None
        self._shielding = False
        self._stopping = False
        self._waiting: int | None = None
        self._passed_on: list[int] = []
        self._due: list[int] = []
        self._passing = False
        self._last_resort: float | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> SignalRelay:
        for signum in RELAYED:
            if signal.getsignal(signum) not in (signal.SIG_IGN, None):
                self._previous[signum] = signal.signal(signum, self._handle)
        # Where a parent left it ignored, the kernel throws the children's exit codes away.
        if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
            self._previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        self._previous.clear()

    def launch(self, start: Callable[[], Job]) -> Job:
        """The job that `start` starts, attached. A signal during the start waits for the job to take it.

        Raises Interrupted where `start` fails and a signal that interrupts was waiting.
        """
        self._held, self._last_resort = [], None
        try:
            job = start()
        except BaseException:
            held, self._held = self._held, None
            for signum in held:
                if signum in _INTERRUPTING:
                    raise Interrupted(signum) from None
            raise
        self.attach(job)
        return job

    def attach(self, job: Job) -> None:
        """From now on signals go to `job`."""
        self._job = job
        self._passed_on.clear()
        self._due.clear()
        self._last_resort = None
        held, self._held = self._held or [], None
        for signum in held:
            self._pass_on(job, signum)

    def detach(self) -> None:
        """The job has ended: from now on signals interrupt."""
        self._job = None

    @contextmanager
    def attached(self, job: Job) -> Iterator[Job]:
        """`attach` for the `with` block; a job that `launch` attached stays as it is."""
        if self._job is not job:
            self.attach(job)
        try:
            yield job
        finally:
            self.detach()

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Protects the block: the first signal waits for `raise_waiting`, a second interrupts the block."""
        self._shielding = True
        try:
            yield
        finally:
            self._shielding = False

    @contextmanager
    def postponed(self) -> Iterator[None]:
        """A signal that comes in the block interrupts at its end."""
        with self.shielded():
            yield
        self.raise_waiting()

    @property
    def has_interrupted(self) -> bool:
        """Whether a signal that interrupts was passed on to the last job, even when that was ending."""
        return any(signum in _INTERRUPTING for signum in self._passed_on)

    def is_waiting(self) -> bool:
        """Whether a signal came while shielded: what can end early does so."""
        return self._waiting is not None

    def raise_waiting(self) -> None:
        """Raise Interrupted for a signal that came while shielded."""
        if self._waiting is not None:
            signum, self._waiting = self._waiting, None
            raise Interrupted(signum)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGTSTP:
            self._stop(signum)
        elif self._stopping and signum == signal.SIGCONT:
            return  # `_stop` passes it on, when it is ready for the next TSTP
        elif self._held is not None:
            self._hold(self._held, signum)
        elif self._job is not None:
            self._pass_on(self._job, signum)
        elif signum in _INTERRUPTING:
            self._interrupt(signum)

    def _interrupt(self, signum: int) -> None:
        if self._shielding and self._waiting is None:
            self._waiting = signum
            return
        raise Interrupted(signum)

    def _hold(self, held: list[int], signum: int) -> None:
        if signum in _INTERRUPTING:
            self._give_up_late(signum)
        held.append(signum)
        if sum(one in _INTERRUPTING for one in held) == _MOST_HELD:
            self._last_resort = time.monotonic()

    def _pass_on(self, job: Job, signum: int) -> None:
        passed = escalated(signum, self._passed_on)
        if passed in (*_INTERRUPTING, signal.SIGKILL):
            self._give_up_late(signum)
        self._passed_on.append(passed)
        if passed == signal.SIGKILL and self._last_resort is None:
            self._last_resort = time.monotonic()
        self._due.append(passed)
        # The handler may have interrupted itself, in the middle of an import that the job's method makes.
        if not self._passing:
            self._passing = True
            try:
                while self._due:
                    job.signal(self._due.pop(0))
            finally:
                self._passing = False

    def _give_up_late(self, signum: int) -> None:
        """Nothing else ends a job whose backend never returns; who presses Ctrl-C in haste gives up nothing."""
        if self._last_resort is not None and time.monotonic() - self._last_resort >= _PATIENCE:
            raise Interrupted(signum)

    def _stop(self, signum: int) -> None:
        """Stop the job, then this process as if there were no handler, and let both go on together.

        If nothing could resume this process, the kernel does not stop it (POSIX: an orphaned process
        group); then the job continues at once, too.
        """
        job = self._job
        if job is not None:
            job.signal(signum)
        self._stopping = True
        signal.signal(signum, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signum)
        signal.signal(signum, self._handle)
        self._stopping = False
        if job is not None:
            job.signal(signal.SIGCONT)
