"""A job's output: from the child's pipes to the runner's own streams, byte for byte, and to the log file."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen

from projrun.execution.protocol import JobSpec
from projrun.execution.supervision.mask import Mask
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from projrun.execution.supervision.terminal import Terminal

CHUNK = 65536
_LOG_PIECE = 8 * 2**20

Warn = Callable[[str], None]


class Sink:
    """One of the runner's own standard streams. Takes what it can without blocking; may end before the job.

    Its reader going away (`projrun run . | head`) ends neither the job nor its log.
    """

    def __init__(self, descriptor: int, text: TextIO | None, warn: Warn) -> None:
        """`text` is Python's own stream for the descriptor, None where that was closed at the start."""
        self.descriptor = descriptor
        # A descriptor that was closed when Python started may be some other file by now.
        mode = None if text is None else _mode(descriptor)
        self._open = mode is not None
        self._warn = warn
        self._writable = select.poll()
        self._writable.register(descriptor, select.POLLOUT)
        # A pipe or terminal that is ready takes PIPE_BUF without blocking; a file takes anything.
        self._piece = CHUNK if mode is not None and stat.S_ISREG(mode) else select.PIPE_BUF

    def write(self, data: memoryview) -> memoryview:
        """Write; return what could not be written yet."""
        while self._open and data and self._writable.poll(0):
            try:
                data = data[os.write(self.descriptor, data[: self._piece]) :]
            except BlockingIOError:
                return data
            except OSError as error:
                self._close(error)
        return data if self._open else data[:0]

    def mute(self) -> None:
        """Swallow everything from now on."""
        self._open = False

    def _close(self, error: OSError) -> None:
        self._open = False
        if error.errno not in (errno.EPIPE, errno.EIO):  # EIO: the terminal is gone
            name = "standard output" if self.descriptor == 1 else "standard error"
            self._warn(f"cannot write to {name}: {error.strerror}; the rest of the output is only in the log")


class LogFile:
    """The file that keeps the output. A full disk ends it, with one warning, and not the job."""

    def __init__(self, path: Path, warn: Warn, *, timestamps: bool = False) -> None:
        self._path = path
        self._warn = warn
        self._stamp: Callable[[bytes], bytes] = bytes
        if timestamps:
            from projrun.execution.supervision.timestamps import Timestamps

            self._stamp = Timestamps().feed
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            self._fail(error)

    def write(self, data: bytes) -> None:
        """Append; never raises."""
        rest = memoryview(self._stamp(data))
        try:
            while rest and self._descriptor is not None:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._fail(error)
            self.close()

    def close(self) -> None:
        """Close the file; may be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _fail(self, error: OSError) -> None:
        self._warn(f"{self._path}: {error.strerror}; the rest of the output is not kept")


class Stream:
    """One pipe or terminal of the child: what it reads goes to a sink at once, and masked to the log."""

    def __init__(
        self, sink: Sink, log: LogFile, secrets: tuple[str, ...], terminal: Terminal | None = None
    ) -> None:
        self.source, self.child_end = os.pipe() if terminal is None else terminal.ends()
        self.ended = False
        self._sink = sink
        self._log = log
        self._transcript = None if terminal is None else terminal.transcript()
        self._mask = Mask(secrets)
        self._pending = memoryview(b"")

    @property
    def blocked(self) -> bool:
        """Whether the sink has to take something before more is read: a slow reader slows the job down."""
        return len(self._pending) > 0

    def awaits(self) -> tuple[int, int] | None:
        """The descriptor and poll events that let it go on; None when it is done."""
        if self.blocked:
            return self._sink.descriptor, select.POLLOUT
        return None if self.ended else (self.source, select.POLLIN)

    def advance(self) -> None:
        """Do what `awaits` was waiting for."""
        if self.blocked:
            self._pending = self._sink.write(self._pending)
            return
        data = self._read()
        if data is None:
            return
        shown, logged = (data, data) if self._transcript is None else self._transcript.feed(data)
        self._pending = self._sink.write(memoryview(shown))
        self._log.write(self._mask.feed(logged))
        if not data:
            self.end()

    def _read(self) -> bytes | None:
        """None where there is nothing yet; nothing at the end."""
        try:
            return os.read(self.source, CHUNK)
        except BlockingIOError:
            return None
        except OSError:  # Linux: EIO where no process has the terminal any more
            return b""

    def end(self) -> None:
        """Stop reading."""
        if not self.ended:
            self.ended = True
            if self._transcript is not None:
                shown, logged = self._transcript.close()
                self._sink.write(memoryview(shown))
                self._log.write(self._mask.feed(logged))
            self._log.write(self._mask.close())
            os.close(self.source)

    def mute(self) -> None:
        """Stop forwarding; the log continues."""
        self._sink.mute()
        self._pending = memoryview(b"")

    def close_child_end(self) -> None:
        """Close the runner's copy of the child's end, so that end of file can be seen."""
        if self.child_end >= 0:
            os.close(self.child_end)
            self.child_end = -1


class Output:
    """All the output of a job: one pipe where stdout and stderr are the same file, else two.

    One pipe keeps the order of what the child writes to both; two keep them apart. A terminal takes the place of the
    pipe for what the runner itself would write to a terminal.
    """

    def __init__(self, spec: JobSpec, warn: Warn) -> None:
        self._terminal = terminal = _terminal(spec)
        _flush(sys.stdout, sys.stderr)
        self._log = LogFile(spec.log_file, warn, timestamps=spec.timestamps)
        stderr = Sink(2, sys.__stderr__, warn)
        stdout = Sink(1, sys.__stdout__, warn)
        replaced = frozenset[int]() if terminal is None else terminal.descriptors
        if spec.forward_stdout_to_stderr or replaced >= {1, 2} or _same_file(1, 2):
            stdout = stderr
        self.streams = [
            Stream(sink, self._log, spec.secrets, terminal if sink.descriptor in replaced else None)
            for sink in dict.fromkeys((stdout, stderr))
        ]
        self.child_stdout, self.child_stderr = self.streams[0].child_end, self.streams[-1].child_end
        """What the child gets as its standard output and as its standard error."""
        # A descriptor 0 that was closed when Python started may be some other file by now.
        self.child_stdin = None if sys.__stdin__ is not None else DEVNULL
        if 0 in replaced and terminal is not None:
            self.child_stdin = terminal.slave
        if terminal is not None and terminal.own_screen >= 0:  # only standard input is a terminal
            screen = Sink(terminal.own_screen, sys.__stdin__, warn)
            self.streams.append(Stream(screen, LogFile(Path(os.devnull), warn), (), terminal))

    @property
    def reading(self) -> bool:
        """Whether a writer may still exist."""
        return not all(stream.ended for stream in self.streams)

    @property
    def blocked(self) -> bool:
        """Whether a reader of the runner's own streams blocks it."""
        return any(stream.blocked for stream in self.streams)

    @property
    def master(self) -> int | None:
        """The master of the job's terminal; None where it has none."""
        return None if self._terminal is None else self._terminal.master

    @property
    def ignores_hangup(self) -> bool:
        """Whether the job's terminal makes it start with HUP ignored."""
        return self._terminal is not None and self._terminal.ignores_hangup

    def command(self, argv: Sequence[str], spec: JobSpec) -> Sequence[str]:
        """The words that start `argv` with the terminal, if there is one."""
        return argv if self._terminal is None else self._terminal.command(argv, spec)

    def start(self, argv: Sequence[str], spec: JobSpec) -> Popen[bytes]:
        """Start the child in its own session. Raises a ProjrunError that says why it cannot be started."""
        try:
            return Popen(
                self.command(argv, spec),
                cwd=spec.directory,
                env=spec.environ,
                stdin=self.child_stdin,
                stdout=self.child_stdout,
                stderr=self.child_stderr,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            from projrun.execution.supervision.unstartable import explained

            raise explained(error, argv[0], spec) from None

    def started(self, group: int, note: Warn) -> None:
        """The child, a process group, has its ends of the pipes. `note` is the guard's `note_terminal`."""
        for stream in self.streams:
            stream.close_child_end()
        if self._terminal is not None:
            self._terminal.started(group, note)

    def heed(self, signum: int) -> bool:
        """Whether the job gets this signal from its terminal."""
        return self._terminal is not None and self._terminal.heed(signum)

    def job_ended(self) -> None:
        """The child's main process has ended: what is typed is not for it any more."""
        if self._terminal is not None:
            self._terminal.job_ended()

    def advance(self, timeout: float | None, wakers: Sequence[int]) -> list[int]:
        """Move what can be moved; wait for that, or for a waker, at most `timeout` seconds.

        Returns the descriptors that were ready.
        """
        if self._terminal is None:
            return self._forward(timeout, wakers)
        patience = self._terminal.patience
        if patience is not None:
            timeout = patience if timeout is None else min(timeout, patience)
        ready = self._forward(timeout, (*wakers, *self._terminal.wakers))
        self._terminal.advance(ready)
        return ready

    def _forward(self, timeout: float | None, wakers: Sequence[int]) -> list[int]:
        waiting = {}
        poll = select.poll()
        for stream in self.streams:
            if (awaited := stream.awaits()) is not None:
                waiting[awaited[0]] = stream
                poll.register(*awaited)
        for waker in wakers:
            poll.register(waker, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll(None if timeout is None else timeout * 1000)]
        for descriptor in ready:
            if descriptor in waiting:
                waiting[descriptor].advance()
        return ready

    def mute(self) -> None:
        """Stop forwarding; the log continues. A reader that stopped reading must not hold up the end."""
        for stream in self.streams:
            stream.mute()

    def close(self) -> None:
        """Close everything; what was not forwarded yet is lost."""
        for stream in self.streams:
            stream.close_child_end()
            stream.end()
        self._log.close()
        if self._terminal is not None:
            self._terminal.close()


def on_terminal(forward_stdout_to_stderr: bool) -> bool:
    """Whether what a job reads and all that it prints is at a terminal."""
    return os.isatty(0) and os.isatty(2) and (forward_stdout_to_stderr or os.isatty(1))


def read_log(file: Path, offset: int) -> bytes:
    """What a log holds from `offset` on, at most 8 MiB of it; nothing where there is no log (any more)."""
    try:
        with file.open("rb") as log:
            log.seek(offset)
            return log.read(_LOG_PIECE)
    except FileNotFoundError:
        return b""


def _terminal(spec: JobSpec) -> Terminal | None:
    if not (spec.terminal and any(os.isatty(descriptor) for descriptor in (0, 1, 2))):
        return None
    from projrun.execution.supervision.terminal import open_terminal

    return open_terminal(spec)


def _mode(descriptor: int) -> int | None:
    try:
        return os.fstat(descriptor).st_mode
    except OSError:
        return None


def _same_file(first: int, second: int) -> bool:
    try:
        return os.path.samestat(os.fstat(first), os.fstat(second))
    except OSError:
        return False


def _flush(*texts: TextIO | None) -> None:
    for text in texts:
        if text is not None:
            with suppress(OSError, ValueError):  # broken or closed: there is no order to keep
                text.flush()
