"""The conformance kit, run for the built-in backends."""

from __future__ import annotations

from threading import Event

import pytest

from projrun.execution.protocol import ExecutionBackend, Outcome
from projrun.testing import execution
from projrun.testing.execution import BackendConformance
from projrun_backends.execution.local import LocalBackend


class TestLocal(BackendConformance):
    @pytest.fixture
    def backend(self) -> ExecutionBackend:
        return LocalBackend()


class Endless:
    """A job that its backend never sees the end of."""

    def wait(self) -> Outcome:
        Event().wait()
        raise AssertionError

    def poll(self) -> Outcome | None:
        return None

    def signal(self, signum: int) -> None: ...

    def logs(self, offset: int) -> bytes:
        return b"said"


def test_a_wait_without_end_fails_the_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "_PATIENCE", 0.05)
    with pytest.raises(AssertionError, match=r"within 0\.05 s; `poll` says None, the output is b'said'"):
        execution.waited(Endless())
