"""The conformance kit, run for the built-in backends."""

from __future__ import annotations

import pytest

from projrun.execution.protocol import ExecutionBackend
from projrun.testing.execution import BackendConformance
from projrun_backends.execution.local import LocalBackend


class TestLocal(BackendConformance):
    @pytest.fixture
    def backend(self) -> ExecutionBackend:
        return LocalBackend()
