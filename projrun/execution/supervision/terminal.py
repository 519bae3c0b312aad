"""The terminal of a job: a pseudo-terminal for those standard descriptors that are the runner's own terminal."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock

from projrun.execution.protocol import JobSpec
from projrun.execution.supervision.keyboard import Keyboard
from projrun.execution.supervision.transcript import Transcript

_TYPED = {"VINTR": signal.SIGINT, "VQUIT": signal.SIGQUIT, "VSUSP": signal.SIGTSTP}
_OUTPUT_FLAGS, _LOCAL_FLAGS, _CHARACTERS = 1, 3, 6
_LATER = 0.5
"""Seconds between two looks whether the keyboard can be taken: the shell's `fg` sends a running job no signal."""
_SOON = 0.05
"""Seconds until a job that does not read is offered again what was typed."""
_WINDOW_SIZE = bytes(8)  # struct winsize, tty_ioctl(4)

# A session without a terminal gets the one that its leader opens. When the leader ends, the kernel sends HUP to what it
# leaves in the foreground: `> >(tee log)` would lose the end of the output. So that starts ignored, as with nohup(1).
_OPEN_AND_EXECUTE = """trap '' HUP; { true <>"$0"; } 2>/dev/null; exec "$@\""""


class Terminal:
    """A pseudo-terminal. Where the runner's keyboard is its own, it is the controlling terminal of the job, too.

    Without the keyboard (the terminal is another session's, or `projrun run . | less` reads it) the output alone goes
    through it, the job has no controlling terminal, and its standard input is what the runner's is.
    """

    def __init__(self, descriptors: Sequence[int], keyboard: Keyboard | None, *, passes_keys: bool) -> None:
        self.descriptors = frozenset(descriptors)
        """Which of the standard descriptors it stands for."""
        self.own_screen = -1
        """Where its output goes when none of the job's outputs is a terminal."""
        self._keyboard = keyboard
        self._passes_keys = passes_keys
        self._shown_at = descriptors[0]
        self._pending = b""
        self._typed: tuple[int, bytes] | None = None
        self._group = 0
        self._lock = RLock()  # reentrant: a signal handler may interrupt the thread that holds it
        self.master, self.slave = os.openpty()
        try:
            self._path = os.ttyname(self.slave)
            os.set_blocking(self.master, False)
            if self.descriptors == {0}:
                self.own_screen = os.dup(0)
            self._set(keyboard)
            self._resize()
        except BaseException:
            self.close()
            raise

    def _set(self, keyboard: Keyboard | None) -> None:
        """As the runner's terminal is set; without the keyboard that one does all of the work."""
        state = termios.tcgetattr(self.slave) if keyboard is None else keyboard.state()
        if state is not None:
            if keyboard is None:
                state[_OUTPUT_FLAGS] &= ~termios.OPOST
            termios.tcsetattr(self.slave, termios.TCSANOW, state)

    @property
    def ignores_hangup(self) -> bool:
        """Whether the job was started with HUP ignored: what ends it then is TERM."""
        return self._keyboard is not None

    def ends(self) -> tuple[int, int]:
        """Copies of its descriptors: the one to read the output from, and the one to write it to."""
        return os.dup(self.master), os.dup(self.slave)

    def transcript(self) -> Transcript:
        """What becomes of its output: it is shown as it is while the runner's own terminal is raw."""
        return Transcript(lambda: self._keyboard is not None and self._keyboard.taken)

    def command(self, argv: Sequence[str], spec: JobSpec) -> Sequence[str]:
        """The words that start `argv` with this as the controlling terminal."""
        if self._keyboard is None or not _can_start(argv[0], spec.environ, spec.directory):
            return argv  # what cannot be started is explained where it is tried
        return [*_shell(spec.environ), "-c", _OPEN_AND_EXECUTE, self._path, *argv]

    def started(self, group: int, note: Callable[[str], None]) -> None:
        """The job runs as this process group."""
        self._group = group
        if self._keyboard is not None:
            self._keyboard.started(note)

    @property
    def wakers(self) -> list[int]:
        """What to wait for besides the output."""
        keyboard = self._keyboard
        return [keyboard.descriptor] if keyboard is not None and keyboard.taken and not self._pending else []

    @property
    def patience(self) -> float | None:
        """How long to wait for it, in seconds."""
        if self._keyboard is None or self._keyboard.gone:
            return None
        if self._pending:
            return _SOON
        return None if self._keyboard.taken else _LATER

    def advance(self, ready: Sequence[int]) -> None:
        """Pass on what was typed."""
        if self._keyboard is not None and not self._keyboard.gone:
            with self._lock:
                self._advance(self._keyboard, ready)

    def _advance(self, keyboard: Keyboard, ready: Sequence[int]) -> None:
        if not keyboard.taken:
            if keyboard.take():
                self._resize()
        elif self._pending:
            self._offer(b"")
        elif keyboard.descriptor in ready:
            for text, signum in self._pieces(keyboard.read()):
                self._offer(text if signum == 0 else b"")
                if signum:
                    self._type_signal(signum, text)

    def heed(self, signum: int) -> bool:
        """A signal for the job; whether the job gets it from its terminal, and nothing else is to be done."""
        if signum == signal.SIGWINCH:
            self._resize()
            return self._keyboard is not None
        if self._keyboard is None:
            return False
        with self._lock:
            typed, self._typed = self._typed, None
            if signum == signal.SIGTSTP:
                self._keyboard.give_back()
            elif signum == signal.SIGCONT:
                self._keyboard.resume()
                self._resize()
            return typed is not None and typed[0] == signum and self._write(typed[1]) > 0

    def job_ended(self) -> None:
        """Its main process has ended: the keyboard is the user's again.

        Until now the terminal stays open here: the job may close it, and open it again as `/dev/tty`.
        """
        if self.slave >= 0:
            if self._keyboard is not None:
                self._keyboard.end()
            os.close(self.slave)
            self.slave = -1

    def close(self) -> None:
        """Restore the runner's terminal, and close everything; may be called again."""
        self.job_ended()
        if self.master >= 0:
            for descriptor in (self.master, self.own_screen):
                if descriptor >= 0:
                    os.close(descriptor)
            if self._keyboard is not None:
                self._keyboard.close()
            self.master = -1

    def _pieces(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Text, and the characters that the job's terminal takes for signals."""
        signals = self._signals()
        start = 0
        for position in range(len(data)):
            character = data[position : position + 1]
            if character in signals:
                yield data[start:position], 0
                yield character, signals[character]
                start = position + 1
        yield data[start:], 0

    def _signals(self) -> dict[bytes, int]:
        """None where the job does without, or runs a shell of its own whose jobs get them."""
        state = termios.tcgetattr(self.master)
        if not (state[_LOCAL_FLAGS] & termios.ISIG or self._passes_keys) or not self._is_jobs():
            return {}
        disabled = os.fpathconf(self.master, "PC_VDISABLE").to_bytes(1, "little", signed=False)
        named = {state[_CHARACTERS][getattr(termios, name)]: signum for name, signum in _TYPED.items()}
        return {character: signum for character, signum in named.items() if character != disabled}

    def _is_jobs(self) -> bool:
        with suppress(OSError):
            return os.tcgetpgrp(self.master) in (0, self._group)
        return True

    def _type_signal(self, signum: int, character: bytes) -> None:
        """As the runner's terminal would in its usual state: to the whole group, which may be a script's."""
        if signal.getsignal(signum) == signal.SIG_IGN:
            self._write(character)
        else:
            self._typed = None if signum == signal.SIGTSTP else (signum, character)
        os.killpg(os.getpgrp(), signum)

    def _offer(self, text: bytes) -> None:
        text = self._pending + text
        self._pending = text[self._write(text) :] if text else b""

    def _write(self, text: bytes) -> int:
        try:
            return os.write(self.master, text)
        except OSError:  # full
            return 0

    def _resize(self) -> None:
        with suppress(OSError):
            size = fcntl.ioctl(self._shown_at, termios.TIOCGWINSZ, _WINDOW_SIZE)
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)


def open_terminal(spec: JobSpec) -> Terminal | None:
    """A terminal for a job, where one of the standard descriptors that it gets is one; None for pipes."""
    with suppress(OSError, termios.error):  # no pseudo-terminal left, none in a sandbox, or hung up
        return _opened(spec)
    return None


def _opened(spec: JobSpec) -> Terminal | None:
    outputs = (2,) if spec.forward_stdout_to_stderr else (1, 2)
    terminals = [descriptor for descriptor in (*outputs, 0) if _is_terminal(descriptor)]
    own = [descriptor for descriptor in terminals if _is_controlling(descriptor)]
    if spec.keyboard and own and not _is_pipe(1) and (own != [0] or _is_writable(0)):
        return Terminal(own, _keyboard(own), passes_keys=spec.passes_keys)
    shown = [descriptor for descriptor in terminals if descriptor > 0]
    if not shown:
        return None
    first = os.fstat(shown[0])
    same = [one for one in shown if os.path.samestat(os.fstat(one), first)]
    return Terminal(same, None, passes_keys=False)


def _keyboard(own: Sequence[int]) -> Keyboard | None:
    try:
        descriptor = 0 if 0 in own else os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    path = ""
    with suppress(OSError):  # a terminal of another /dev
        path = os.ttyname(own[0])
    return Keyboard(descriptor, path, shared=_is_pipe(0))


def _is_terminal(descriptor: int) -> bool:
    text = (sys.__stdin__, sys.__stdout__, sys.__stderr__)[descriptor]
    return text is not None and os.isatty(descriptor)


def _is_controlling(descriptor: int) -> bool:
    try:
        return os.tcgetpgrp(descriptor) >= 0
    except OSError:
        return False


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _is_writable(descriptor: int) -> bool:
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR


def _can_start(program: str, environ: Mapping[str, str], directory: Path) -> bool:
    folders = [directory] if "/" in program else os.get_exec_path(environ)
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in folders)  # noqa: PTH118


def _shell(environ: Mapping[str, str]) -> Sequence[str]:
    """What is neither dropped nor changed on the way: dash loses variables whose names are not identifiers,
    such as the functions that bash exports.
    """
    if all(name.isascii() and name.isidentifier() for name in environ) or not _can_start(
        "bash", environ, Path("/")
    ):
        return ["/bin/sh"]
    return ["bash", "--posix"] if "BASH_ENV" in environ else ["bash"]  # which --posix does not read
