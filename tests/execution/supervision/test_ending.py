"""How endings are told."""

from __future__ import annotations

import signal

import pytest

from projrun.execution.protocol import Outcome
from projrun.execution.supervision.ending import cause_tags, ended, interrupted, signal_name, timed_out

KILL, INT, TERM, HUP, USR1 = (
    signal.SIGKILL,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
)


@pytest.mark.parametrize(
    ("returncode", "exit_code", "reason"),
    [
        (1, 1, "exit code 1"),
        (5, 5, "exit code 5"),
        (126, 126, "found but not executable (exit code 126)"),
        (127, 127, "command not found (exit code 127)"),
        (-11, 139, "killed by SIGSEGV"),
        (-9, 137, "killed by SIGKILL, perhaps by the system for lack of memory"),
        (139, 139, "exit code 139: a program of the command was killed by SIGSEGV"),
        (255, 255, "exit code 255"),
    ],
)
def test_failures_keep_the_exit_code_and_say_why(returncode: int, exit_code: int, reason: str) -> None:
    outcome = ended(returncode, [])
    assert outcome[:5] == ("FAILED", exit_code, reason, None, ())


@pytest.mark.parametrize(
    ("outcome", "tags"),
    [
        (ended(0, []), {}),
        (ended(3, []), {}),
        (ended(137, []), {}),
        (ended(-KILL, []), {"projrun.signal": "SIGKILL"}),
        (ended(0, [INT]), {"projrun.signal": "SIGINT"}),
        (timed_out(1800), {"projrun.timeout": "true"}),
        (ended(137, [])._replace(cause="oom"), {"projrun.oom": "true"}),
    ],
)
def test_what_is_known_of_the_cause_is_a_tag(outcome: Outcome, tags: dict[str, str]) -> None:
    assert cause_tags(outcome) == tags


def test_a_timeout_fails_as_that_of_coreutils() -> None:
    assert timed_out(1800, ["late"]) == ("FAILED", 124, "timed out after 30 m", None, ("late",), "timeout")


def test_success_needs_no_reason() -> None:
    assert ended(0, []) == ("FINISHED", 0, "", None, (), "")


@pytest.mark.parametrize(
    ("returncode", "received", "exit_code", "reason"),
    [
        (0, [INT], 130, "interrupted by SIGINT"),
        (7, [TERM], 143, "interrupted by SIGTERM"),
        (-TERM, [INT, TERM], 130, "interrupted by SIGINT"),
        (-KILL, [INT, TERM, KILL], 130, "interrupted by SIGINT"),
        (-KILL, [TERM], 143, "interrupted by SIGTERM"),
        (0, [USR1, HUP], 129, "interrupted by SIGHUP"),
        (-USR1, [USR1], 138, "interrupted by SIGUSR1"),
    ],
)
def test_a_run_that_was_asked_to_end_is_killed(
    returncode: int, received: list[int], exit_code: int, reason: str
) -> None:
    outcome = ended(returncode, received)
    assert (outcome.status, outcome.exit_code, outcome.reason) == ("KILLED", exit_code, reason)
    assert outcome.signal == exit_code - 128


@pytest.mark.parametrize(("returncode", "status"), [(0, "FINISHED"), (3, "FAILED"), (-KILL, "FAILED")])
def test_signals_that_ask_for_something_else_decide_nothing(returncode: int, status: str) -> None:
    assert ended(returncode, [USR1, signal.SIGTSTP, signal.SIGCONT]).status == status


def test_warnings_are_handed_on() -> None:
    assert ended(0, [], ["disk full"]).warnings == ("disk full",)
    assert interrupted(INT, ["disk full"]).warnings == ("disk full",)


def test_a_signal_without_a_name() -> None:
    assert signal_name(250) == "signal 250"
