"""A process that an interrupt never leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from projrun.execution.supervision.started import Started

pytestmark = pytest.mark.processes

_SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_an_interrupt_during_the_start_ends_the_process() -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(_SLEEP)
        begun.append(process)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)  # the main thread takes the signal here
        return process

    with pytest.raises(KeyboardInterrupt), Started(start, _end):
        pytest.fail("the interrupt came before")
    assert begun[0].returncode == -signal.SIGKILL


def test_an_interrupt_in_the_block_ends_the_process() -> None:
    with pytest.raises(KeyboardInterrupt), Started(lambda: subprocess.Popen(_SLEEP), _end) as process:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    assert process.returncode == -signal.SIGKILL


def test_a_block_that_ends_well_leaves_the_process_alone() -> None:
    with Started(lambda: subprocess.Popen(_SLEEP), _end) as process:
        pass
    assert process.poll() is None
    _end(process)


def test_what_the_start_raises_is_raised() -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(["/nothing/there"])

    with pytest.raises(FileNotFoundError), Started(start, _end):
        pytest.fail("nothing was started")
