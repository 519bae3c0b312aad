"""A job that is a process on this machine: started in its own session, supervised to its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from threading import Event, RLock, Thread
from time import monotonic
from urllib.parse import quote

from projrun.execution.protocol import Job, JobRef, JobSpec, Outcome
from projrun.execution.supervision.descendants import Descendants, has_proc
from projrun.execution.supervision.ending import (
    ENDING_SIGNALS,
    asked_to_end,
    checked,
    end_function,
    ended,
    timed_out,
)
from projrun.execution.supervision.group import (
    Stopping,
    exit_descriptor,
    is_alive,
    process_state,
    signal_group,
    terminate_group,
)
from projrun.execution.supervision.guard import start_guard
from projrun.execution.supervision.output import Output, read_log
from projrun.execution.supervision.signals import RELAYED, escalated, held_back
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.execution.supervision.outside import Outside

_LINGER = 1.0
"""Seconds that leftover processes of the command may take to end by themselves, as `> >(tee log)` does."""

_LONGEST_PAUSE = 0.05
_LONGEST_GRACE = 1_000_000.0
"""Eleven days: poll(2) counts milliseconds in 31 bits."""

_NEVER = float("inf")
_SIGNAL_PAUSE = 1.0
"""How long one wait may take: a signal that the kernel gave to another thread does not end it."""
_EXIT_PAUSE = 0.1
"""How often to ask whether the child has ended, if the system has no pidfd."""


class ProcessJob:
    """A running process with its process group, its output and its guard.

    The job is over when the command's main process has ended. What that left in its process group is
    given a second to end by itself, then TERM and, after the grace period, KILL: a run leaves no
    processes behind (`mlflow run` does). What moved to its own session (`setsid`) is ended with a job that was
    asked to end. Otherwise it may be a daemon: it is named and left alone, and its later output is not waited for.
    """

    def __init__(self, argv: Sequence[str], spec: JobSpec) -> None:
        """Start `argv` in the job's folder. Raises a ProjrunError that says why it cannot be started."""
        self._grace_period = min(spec.grace_period, _LONGEST_GRACE)
        self._spec = spec
        self._end = end_function(spec)
        self._outcome: Outcome | None = None
        self._failure: BaseException | None = None
        self._supervised = False
        self._ended = Event()
        self._warnings: list[str] = []
        self._received: list[int] = []
        self._received_until_exit: tuple[int, ...] = ()
        self._kill_at: float | None = None
        self._killed = self._muting = self._over = self._timed_out = False
        self._lock = RLock()  # reentrant: a signal handler may interrupt the thread that holds it
        with ExitStack() as undo:
            self._wake_reader, self._wake_writer = os.pipe()
            undo.callback(self._close_descriptors, self._wake_reader, self._wake_writer)
            os.set_blocking(self._wake_writer, False)
            self._output = Output(spec, self._warnings.append)
            undo.callback(self._output.close)
            self._guard = start_guard(self._grace_period, spec, self._output.master)
            undo.callback(self._guard.release)
            self._process = self._output.start(argv, spec)
            undo.pop_all()
        self._guard.watch(self._process.pid)
        self._stopping = Stopping(self._process.pid)
        self._deadline = monotonic() + (spec.limits.timeout or _NEVER)
        self._descendants = Descendants(self._process.pid, spec.mark)
        self._output.started(self._process.pid, self._guard.note_terminal)
        self._exit_descriptor = exit_descriptor(self._process.pid)

    @property
    def identifier(self) -> str:
        """The process id of the command's main process; its process group has the same number."""
        return str(self._process.pid)

    def poll(self) -> Outcome | None:
        """Say how it ended, None while it runs. From the first call on a thread supervises the job.

        Raises what `wait` raises.
        """
        if self._claim():
            Thread(target=self._supervise, name="projrun-job", daemon=True).start()
        return self._result() if self._ended.is_set() else None

    @property
    def log_file(self) -> Path:
        """Where its output is kept."""
        return self._spec.log_file

    @property
    def ended(self) -> bool:
        """Whether its outcome is known."""
        return self._ended.is_set()

    def logs(self, offset: int) -> bytes:
        """What is in the log file from that byte on."""
        return read_log(self._spec.log_file, offset)

    def signal(self, signum: int) -> None:
        """Pass a signal to the whole group, from a signal handler or from any thread.

        TERM starts the grace period, after which comes KILL; it follows HUP where the job's terminal makes it ignore
        that. STOP follows TSTP, since by POSIX TSTP does not stop an orphaned process group, which is what a session
        of a job is.
        """
        with self._lock:
            if self._over:
                return
            self._received.append(signum)
            self._muting |= self._process.returncode is not None and signum in ENDING_SIGNALS
            self._killed |= signum == signal.SIGKILL
            if signum == signal.SIGTERM:
                self._terminate_descendants()
            elif signum in ENDING_SIGNALS:
                self._outside.find()  # some are known only as long as their parents live
            if not self._output.heed(signum):
                signal_group(self._process.pid, signum)
            self._stopping.follow(signum)
            if signum == signal.SIGHUP and self._output.ignores_hangup:
                self._terminate_descendants()
                signal_group(self._process.pid, signal.SIGTERM)
            self._wake()

    def wait(self) -> Outcome:
        """Supervise to the end, or wait for the thread that does. Called again, it says the same again.

        A KeyboardInterrupt (only in the Python API, which installs no signal handlers) does what Ctrl-C
        does at the command line: it is passed on, and the outcome is KILLED.
        """
        if self._claim():
            self._supervise()
        self._complete(self._ended.wait)
        return self._result()

    def _claim(self) -> bool:
        """Whether the caller is to supervise the job: the first one is."""
        with self._lock:
            claimed, self._supervised = not self._supervised, True
            return claimed

    def _result(self) -> Outcome:
        if self._outcome is None:
            raise self._failure or AssertionError("the job has not ended")
        return self._outcome

    def _supervise(self) -> None:
        try:
            self._outcome = self._run_to_the_end()
        except BaseException as error:  # for whoever asks, in whichever thread
            self._failure = error
        finally:
            self._ended.set()

    def _run_to_the_end(self) -> Outcome:
        try:
            for stage in (
                self._run, self._settle, self._end_leftovers, self._end_descendants, self._finish_output,
            ):  # fmt: skip
                self._complete(stage)
        except BaseException:
            self._outside.kill()
            signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._finish()
            raise
        else:
            return self._finish()
        finally:
            self._close()

    def _finish(self) -> Outcome:
        """The guard still runs: it removes what a killed runner could not."""
        with self._lock:
            self._over = True
        outcome = ended(self._process.returncode, self._received_until_exit, self._warnings)
        if self._timed_out:
            outcome = timed_out(self._spec.limits.timeout, self._warnings)
        while self._end is not None:
            try:
                said = self._end(outcome, self._spec.end_details, self._spec.end_environ)
                return checked(said, f"what `{self._spec.end_function}` returned")
            except KeyboardInterrupt:
                continue
        return outcome

    def _complete(self, stage: Callable[[], object]) -> None:
        while True:
            try:
                stage()
                return
            except KeyboardInterrupt:
                self.signal(escalated(signal.SIGINT, self._received))

    def _run(self) -> None:
        """Until the main process has ended."""
        longest = _EXIT_PAUSE if self._exit_descriptor is None else _SIGNAL_PAUSE
        while self._process.poll() is None:
            self._step(self._stopping.watch(longest))
        self._deadline = _NEVER
        self._received_until_exit = tuple(self._received)
        self._output.job_ended()

    def _settle(self) -> None:
        """Until the output is complete and the group empty, or the time is up."""
        patience = monotonic() + _LINGER
        pause = 0.001
        while (alive := is_alive(self._process.pid)) or self._output.reading:
            if self._output.blocked:
                patience = monotonic() + _LINGER
            elif monotonic() > patience and not (alive and self._is_ending()):
                return
            self._step(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _is_ending(self) -> bool:
        """Whether the rest of the group was sent a signal and may still do something about it.

        A shell dies of TERM or USR1 at once, while the program that it started writes a checkpoint. Of
        INT a shell dies after its program.
        """
        if self._killed:
            return False
        signum = -self._process.returncode
        return self._kill_at is not None or (signum in self._received and signum != signal.SIGINT)

    def _end_leftovers(self) -> None:
        """TERM, and KILL after the grace period, for what is still in the group."""
        if self._killed or not is_alive(self._process.pid):
            return
        self._warnings.append("processes that the command left running in the background were ended")
        self._start_grace_period()
        terminate_group(self._process.pid)
        while not self._killed and is_alive(self._process.pid):
            self._step(_LONGEST_PAUSE)

    def _end_descendants(self) -> None:
        """TERM, and KILL after the grace period, for other sessions; these are only named after an end by itself."""
        if not (self._timed_out or asked_to_end(self._process.returncode, self._received)):
            left = self._descendants.left() if has_proc() else [each.pid for each in self._outside.find()]
            if not left:
                return
            from projrun.execution.supervision.leftovers import left_running

            self._warnings.append(left_running(left, self._spec))
            if not self._spec.end_leftovers:
                return
        while not self._killed and self._terminate_descendants():
            self._step(_LONGEST_PAUSE)
        patience = monotonic() + _LINGER
        while self._killed and self._outside.kill() and monotonic() < patience:
            self._step(_LONGEST_PAUSE)

    @cached_property
    def _outside(self) -> Outside:
        """What only a job that leaves something, or is to end, needs."""
        with held_back(RELAYED):  # a handler within this import would find half of the module
            from projrun.execution.supervision.outside import Outside
        return Outside(self._process.pid, self._spec.mark)

    def _terminate_descendants(self) -> bool:
        with self._lock:
            self._start_grace_period()
            return self._outside.terminate()

    def _finish_output(self) -> None:
        """Forward what is in the pipes; a process outside the group may keep them open for ever."""
        patience = monotonic() + _LINGER
        while True:
            if self._output.blocked:
                self._step(None)
                patience = monotonic() + _LINGER
            elif not self._output.reading or monotonic() > patience or not self._step(0):
                return

    def _step(self, longest: float | None) -> bool:
        """Move bytes, or wait for some at most `longest` seconds; False where there were none."""
        if self._muting:
            self._output.mute()
        running = self._process.returncode is None
        wakers = [self._wake_reader]
        if running and self._exit_descriptor is not None:
            wakers.append(self._exit_descriptor)
        ready = self._output.advance(self._timeout(longest), wakers)
        if self._wake_reader in ready:
            os.read(self._wake_reader, 512)
        return bool(ready)

    def _timeout(self, longest: float | None) -> float | None:
        """At most `longest` seconds until something is due; what is due now is done."""
        if monotonic() >= self._deadline:
            self._time_out()
        due = self._deadline if self._kill_at is None or self._killed else min(self._kill_at, self._deadline)
        if due == _NEVER:
            return longest
        left = due - monotonic()
        if left > 0:
            return min(left, _LONGEST_GRACE if longest is None else longest)
        if due == self._kill_at:
            self._kill()
        return 0

    def _time_out(self) -> None:
        """TERM, and KILL after the grace period; a signal that asked it to end before is why it ends."""
        with self._lock:
            self._deadline = _NEVER
            self._timed_out = not ENDING_SIGNALS.intersection(self._received)
            self._terminate_descendants()
            terminate_group(self._process.pid)

    def _start_grace_period(self) -> None:
        if self._kill_at is None:
            self._kill_at = monotonic() + self._grace_period

    def _kill(self) -> None:
        self._killed = True
        self._muting |= self._timed_out or any(signum in ENDING_SIGNALS for signum in self._received)
        self._outside.kill()
        signal_group(self._process.pid, signal.SIGKILL)

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # full: it will wake
            os.write(self._wake_writer, b"!")

    def _close(self) -> None:
        with self._lock:
            self._over = True
            self._output.close()
            self._close_descriptors(self._wake_reader, self._wake_writer, self._exit_descriptor)
        self._guard.release()

    @staticmethod
    def _close_descriptors(*descriptors: int | None) -> None:
        for descriptor in descriptors:
            if descriptor is not None:
                os.close(descriptor)


_JOBS: dict[JobRef, ProcessJob] = {}
_KEPT_JOBS = 1000
"""How many jobs of this process can be attached at once; beyond that the oldest that ended are forgotten."""


def submit_process(argv: Sequence[str], spec: JobSpec) -> JobRef:
    """Start `argv` as a job on this machine; the reference is for `attach_process`, here or in another process.

    Raises a ProjrunError that says why it cannot be started.
    """
    job = ProcessJob(argv, spec)
    pid = job.identifier
    ref = f"{pid}:{process_state(int(pid)).start}:{quote(os.fsencode(spec.log_file.absolute()))}"
    if len(_JOBS) >= _KEPT_JOBS:
        for old in [old for old, other in _JOBS.items() if other.ended][: _KEPT_JOBS // 2]:
            del _JOBS[old]
    _JOBS[ref] = job
    return ref


def jobs_writing_to(log_file: Path) -> list[Job]:
    """The jobs of this process whose output is kept there."""
    return [job for job in list(_JOBS.values()) if job.log_file == log_file]


def attach_process(ref: JobRef) -> Job:
    """The job that `submit_process` started: with all its supervision in the process that started it.

    In another process it can be polled, awaited, signalled and read, but the kernel tells its exit code to its
    parent alone: the outcome's is UNKNOWN_EXIT_CODE there. Raises RequestError for what is not a reference.
    """
    job = _JOBS.get(ref)
    if job is not None:
        return job
    from projrun.execution.supervision.elsewhere import attach_elsewhere

    return attach_elsewhere(ref)
