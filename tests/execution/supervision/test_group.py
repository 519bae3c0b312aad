"""Process groups: who is in one, and who does not count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from projrun.execution.supervision.group import Stopping, is_alive, signal_group
from tests.execution.supervision.support import eventually, process_state

pytestmark = pytest.mark.processes


def leader(*argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, start_new_session=True)


def test_a_group_lives_as_long_as_a_member_does() -> None:
    process = leader("bash", "-c", "sleep 60 & exit")
    process.wait()
    assert is_alive(process.pid)
    signal_group(process.pid, signal.SIGKILL)
    eventually(lambda: not is_alive(process.pid), "the end of the group")


def test_zombies_do_not_count() -> None:
    process = leader("true")
    eventually(lambda: process_state(process.pid) == "Z", "the zombie")
    assert not is_alive(process.pid)
    process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_name_that_looks_like_a_state_does_not_mislead() -> None:
    code = "open('/proc/self/comm', 'w').write(') Z 1 1 ('); print(flush=True); import time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_alive(process.pid)
    finally:
        process.kill()
        process.communicate()


def test_a_group_that_is_gone_is_no_error() -> None:
    process = leader("true")
    process.wait()
    assert not is_alive(process.pid)
    signal_group(process.pid, signal.SIGTERM)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to start a process of another user")
def test_a_group_of_another_user_is_no_error() -> None:
    code = (
        "from projrun.execution.supervision.group import Stopping, is_alive, signal_group; import os, signal, sys; "
        "os.setuid(65534); signal_group(int(sys.argv[1]), signal.SIGTERM); print(is_alive(int(sys.argv[1])))"
    )
    process = leader("sleep", "60")
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(process.pid)], capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == ("False\n", "")
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_member_that_was_sent_no_cont_goes_on_with_the_others() -> None:
    process = leader("sleep", "60")
    try:
        stopping = Stopping(process.pid)
        stopping.follow(signal.SIGTSTP)
        eventually(lambda: process_state(process.pid) == "T", "the stop")
        assert stopping.watch(9.0) == 9.0
        assert process_state(process.pid) == "T"
        stopping.follow(signal.SIGCONT)
        assert stopping.watch(9.0) < 1.0
        eventually(lambda: process_state(process.pid) == "S", "the continuation")
    finally:
        process.kill()
        process.wait()
