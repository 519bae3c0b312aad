"""`JobSpec.end_function`: what reads how the command really ended, where its process is only a messenger."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from projrun.errors import EnvironmentBuildError
from projrun.execution.protocol import JobSpec, Outcome
from projrun.execution.supervision.process import ProcessJob
from tests.execution.supervision.support import eventually, is_running, make_spec

_conclusions: dict[str, Callable[[Outcome], Outcome]] = {}
"""A job names its function by module and name; the details say which of these it is to call."""


def call(outcome: Outcome, details: Mapping[str, str], environ: Mapping[str, str]) -> Outcome:
    """Call one test's own function."""
    assert environ == {"ONLY": "this"}
    return _conclusions[details["folder"]](outcome)


def concluded(folder: Path, conclude: Callable[[Outcome], Outcome]) -> JobSpec:
    """A job that ends with `conclude`."""
    _conclusions[str(folder)] = conclude
    return make_spec(
        folder,
        "",
        end_function=f"{__name__}:call",
        end_details={"folder": str(folder)},
        end_environ={"ONLY": "this"},
    )


def test_it_gets_the_outcome_and_gives_another(tmp_path: Path) -> None:
    def conclude(outcome: Outcome) -> Outcome:
        assert spec.log_file.read_text() == "said\n", "the output is complete"
        return outcome._replace(reason=f"read: {outcome.reason}")

    spec = concluded(tmp_path, conclude)
    outcome = ProcessJob(["sh", "-c", "echo said; exit 3"], spec).wait()
    assert (outcome.exit_code, outcome.reason) == (3, "read: exit code 3")


def test_the_guard_is_there_until_it_is_done(tmp_path: Path) -> None:
    guards = []

    def conclude(outcome: Outcome) -> Outcome:
        guards.append(job._guard.pid)
        assert is_running(guards[0])
        return outcome

    job = ProcessJob(["true"], concluded(tmp_path, conclude))
    job.wait()
    eventually(lambda: not is_running(guards[0]), "the end of the guard")


def test_its_error_is_the_jobs(tmp_path: Path) -> None:
    def conclude(outcome: Outcome) -> Outcome:
        raise EnvironmentBuildError("no container")

    job = ProcessJob(["true"], concluded(tmp_path, conclude))
    for _ in range(2):  # whoever asks again is told the same
        with pytest.raises(EnvironmentBuildError, match="no container"):
            job.wait()
    with pytest.raises(EnvironmentBuildError, match="no container"):
        job.poll()


def test_an_interrupt_does_not_keep_it_from_its_work(tmp_path: Path) -> None:
    calls = []

    def conclude(outcome: Outcome) -> Outcome:
        calls.append(outcome)
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()  # KeyboardInterrupt comes here
        return outcome

    assert ProcessJob(["true"], concluded(tmp_path, conclude)).wait() == calls[0]
    assert len(calls) == 2


def test_it_is_called_when_the_supervision_fails_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def conclude(outcome: Outcome) -> Outcome:
        seen.append(outcome.exit_code)
        return outcome

    job = ProcessJob(["sleep", "60"], concluded(tmp_path, conclude))
    monkeypatch.setattr(job, "_run", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        job.wait()
    assert seen == [137]


def test_one_that_does_not_exist_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="no_such"):
        ProcessJob(["touch", "started"], make_spec(tmp_path, "", end_function=f"{__name__}:no_such"))
    assert not (tmp_path / "started").exists()
