"""`Task.conclude`: what reads how the command really ended, where its process is only a messenger."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from projrun.errors import EnvironmentBuildError
from projrun.execution.protocol import Outcome
from projrun.execution.supervision.process import ProcessJob
from tests.execution.supervision.support import eventually, is_running, make_task


def test_it_gets_the_outcome_and_gives_another(tmp_path: Path) -> None:
    def conclude(outcome: Outcome) -> Outcome:
        assert task.log_file.read_text() == "said\n", "the output is complete"
        return outcome._replace(reason=f"read: {outcome.reason}")

    task = make_task(tmp_path, "", conclude=conclude)
    outcome = ProcessJob(["sh", "-c", "echo said; exit 3"], task).wait()
    assert (outcome.exit_code, outcome.reason) == (3, "read: exit code 3")


def test_the_guard_is_there_until_it_is_done(tmp_path: Path) -> None:
    guards = []

    def conclude(outcome: Outcome) -> Outcome:
        guards.append(job._guard.pid)
        assert is_running(guards[0])
        return outcome

    job = ProcessJob(["true"], make_task(tmp_path, "", conclude=conclude))
    job.wait()
    eventually(lambda: not is_running(guards[0]), "the end of the guard")


def test_its_error_is_the_jobs(tmp_path: Path) -> None:
    def conclude(outcome: Outcome) -> Outcome:
        raise EnvironmentBuildError("no container")

    with pytest.raises(EnvironmentBuildError, match="no container"):
        ProcessJob(["true"], make_task(tmp_path, "", conclude=conclude)).wait()


def test_an_interrupt_does_not_keep_it_from_its_work(tmp_path: Path) -> None:
    calls = []

    def conclude(outcome: Outcome) -> Outcome:
        calls.append(outcome)
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()  # KeyboardInterrupt comes here
        return outcome

    assert ProcessJob(["true"], make_task(tmp_path, "", conclude=conclude)).wait() == calls[0]
    assert len(calls) == 2


def test_it_is_called_when_the_supervision_fails_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def conclude(outcome: Outcome) -> Outcome:
        seen.append(outcome.exit_code)
        return outcome

    job = ProcessJob(["sleep", "60"], make_task(tmp_path, "", conclude=conclude))
    monkeypatch.setattr(job, "_run", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        job.wait()
    assert seen == [137]
