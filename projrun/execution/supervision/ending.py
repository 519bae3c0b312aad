"""How a process ended, in words and as an Outcome."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from importlib import import_module

from projrun.execution.protocol import JobSpec, Outcome

ENDING_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL})
"""A run that received one of these was asked to end, however its command reacted."""

_SHELL_CODES = {
    126: "found but not executable",
    127: "command not found",
}  # POSIX, Shell Command Language 2.8.2


def ended(returncode: int, received: Sequence[int], warnings: Sequence[str] = ()) -> Outcome:
    """How a process ended.

    `returncode` is as `subprocess` gives it (-N: died of signal N), `received` the signals that were
    passed on to it while it ran, first one first. The first that asks it to end decides, even where
    the command then exits 0: after Ctrl-C, once or more often, the code is 130.
    """
    asked = asked_to_end(returncode, received)
    if asked:
        return interrupted(asked[0], warnings)
    if returncode == 0:
        return Outcome("FINISHED", 0, warnings=tuple(warnings))
    if returncode < 0:
        killed, name = _killed_by(-returncode), signal_name(-returncode)
        return Outcome("FAILED", 128 - returncode, killed, warnings=tuple(warnings), cause=name)
    return Outcome("FAILED", returncode, _exited_with(returncode), warnings=tuple(warnings))


def asked_to_end(returncode: int, received: Sequence[int]) -> list[int]:
    """Those of the signals that ask a run to end: the usual ones, and what its command died of."""
    return [signum for signum in received if signum in ENDING_SIGNALS or signum == -returncode]


def interrupted(signum: int, warnings: Sequence[str] = ()) -> Outcome:
    """The outcome of a run that a signal to the runner ended: KILLED, 130 for INT, 143 for TERM."""
    name = signal_name(signum)
    return Outcome("KILLED", 128 + signum, f"interrupted by {name}", signum, tuple(warnings), name)


def timed_out(seconds: float, warnings: Sequence[str] = ()) -> Outcome:
    """The outcome of a command that did not end in time, whatever it did when it was asked to: as timeout(1)."""
    from projrun.settings.quantities import duration_text

    reason = f"timed out after {duration_text(seconds)}"
    return Outcome("FAILED", 124, reason, warnings=tuple(warnings), cause="timeout")


def cause_tags(outcome: Outcome) -> dict[str, str]:
    """The tag that says what ended a run, where that is known."""
    if outcome.cause in ("timeout", "oom"):
        return {f"projrun.{outcome.cause}": "true"}
    return {"projrun.signal": outcome.cause} if outcome.cause else {}


def end_function(spec: JobSpec) -> Callable[..., object] | None:
    """Found before anything starts, and kept: the package may be another one by the end."""
    if not spec.end_function:
        return None
    module, _, name = spec.end_function.partition(":")
    function: Callable[..., object] = getattr(import_module(module), name)
    return function


def checked(outcome: object, what: str) -> Outcome:
    """The outcome, where it is one that can be recorded; `what` says where it comes from, for people."""
    if not isinstance(outcome, Outcome):
        raise TypeError(f"{what} is of the type {type(outcome).__name__}, not Outcome")
    if mistake := outcome.mistake(what):
        raise ValueError(mistake)
    return outcome


def signal_name(signum: int) -> str:
    """`SIGKILL`, or `signal 35` for one without a name."""
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"


def _killed_by(signum: int) -> str:
    hint = ", perhaps by the system for lack of memory" if signal_name(signum) == "SIGKILL" else ""
    return f"killed by {signal_name(signum)}{hint}"


def _exited_with(code: int) -> str:
    if code in _SHELL_CODES:
        return f"{_SHELL_CODES[code]} (exit code {code})"
    if code - 128 in signal.valid_signals():
        return f"exit code {code}: a program of the command was {_killed_by(code - 128)}"
    return f"exit code {code}"
