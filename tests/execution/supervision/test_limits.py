"""Memory and processors on this machine: what holds them, and that a missing systemd is found out."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.execution.protocol import Limits, Outcome
from projrun.execution.supervision import limits
from projrun.execution.supervision.ending import ended, timed_out
from projrun_backends.execution.local import LocalBackend
from tests.execution.supervision.support import PYTHON, eventually, make_spec

pytestmark = pytest.mark.processes

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="affinity and address space are limited on Linux")

# Takes systemd-run's words and starts the command, in no scope.
STAND_IN = """#!/bin/sh
echo "$@" >"$0.words"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""


def run(folder: Path, command: str, **limited: float) -> Outcome:
    backend = LocalBackend()
    spec = make_spec(folder, command, limits=Limits(**limited))  # type: ignore[arg-type]
    return backend.attach(backend.submit(spec, {})).wait()


@pytest.fixture
def no_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "scope_holds", frozenset)


class Scope:
    """A program that stands in for systemd-run, and the folder that stands in for its scope's."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "systemd-run"
        self.program.write_text(STAND_IN)
        self.program.chmod(0o700)
        group = Path("/proc/self/cgroup").read_text().partition("\n")[0].removeprefix("0::")
        self.folder = Path(f"{folder}{group}")
        self.folder.mkdir(parents=True, exist_ok=True)

    def gives(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)


@pytest.fixture
def scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scope]:
    folder = tmp_path / "scope"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(limits, "_ROOT", folder)
    limits.scope_holds.cache_clear()
    yield Scope(folder)
    limits.scope_holds.cache_clear()


@LINUX
@pytest.mark.usefixtures("no_scope")
def test_without_a_cgroup_each_process_gets_no_more_memory(tmp_path: Path) -> None:
    command = f"{PYTHON} -c 'bytearray(600_000_000)' && echo got it"
    assert run(tmp_path, command, memory=2**30).exit_code == 0
    outcome = run(tmp_path, command, memory=500 * 2**20)
    assert (outcome.exit_code, outcome.cause) == (1, "")  # a MemoryError: the system ended nothing
    assert "MemoryError" in (tmp_path / "output.log").read_text()


@LINUX
@pytest.mark.usefixtures("no_scope")
def test_without_a_cgroup_the_command_keeps_to_some_processors(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    command = f"{PYTHON} -c 'import os; print(len(os.sched_getaffinity(0)))'"
    assert run(tmp_path, command, cpus=1.5).status == "FINISHED"
    assert (tmp_path / "output.log").read_text() == "1\n"
    assert os.sched_getaffinity(0) == before
    assert run(tmp_path, command, cpus=1000.0).status == "FINISHED"
    assert (tmp_path / "output.log").read_text() == f"{len(before)}\n"


@LINUX
@pytest.mark.usefixtures("no_scope")
def test_how_it_is_held_is_said_and_what_cannot_be_held_is_refused() -> None:
    assert limits.how_held(Limits(memory=2**30, cpus=1.5)) == {
        "memory": "of each process: there is no cgroup for it here",
        "cpus": "as 1 of this machine's processors: there is no cgroup for it here",
    }
    with pytest.raises(RequestError, match=r"--cpus: this system cannot hold 0\.5"):
        limits.how_held(Limits(cpus=0.5))


def test_a_systemd_that_does_not_run_holds_nothing(scope: Scope) -> None:
    scope.program.write_text("#!/bin/sh\necho 'System has not been booted with systemd' >&2\nexit 1\n")
    assert limits.scope_holds() == frozenset()


def test_only_what_a_scope_was_really_given_is_held_by_it(scope: Scope) -> None:
    scope.gives(memory_max="1073741824\n", cpu_max="max 100000\n")
    assert limits.scope_holds() == {"memory"}
    words = (scope.program.with_suffix(".words")).read_text()
    user = "" if os.geteuid() == 0 else "--user "
    assert words.startswith(
        f"{user}--scope --quiet --collect --property=MemoryMax=1073741824 --property=MemorySwapMax=0 "
        "--property=CPUQuota=100% -- /bin/sh -c "
    )


def test_a_lack_of_memory_in_the_scope_is_called_by_its_name(scope: Scope, tmp_path: Path) -> None:
    scope.gives(memory_max="1073741824\n", cpu_max="100000 100000\n", memory_events="oom 1\noom_kill 1\n")
    assert limits.how_held(Limits(memory=1, cpus=0.5)) == dict.fromkeys(
        ("memory", "cpus"), "of all processes together"
    )
    outcome = run(tmp_path, f"{PYTHON} -c 'import os; os.kill(os.getpid(), 9)'", memory=2**32, cpus=0.5)
    assert (outcome.status, outcome.exit_code, outcome.cause) == ("FAILED", 137, "oom")
    assert outcome.reason == "out of memory: the command reached its limit of 4 GiB (exit code 137)"
    words = scope.program.with_suffix(".words").read_text()
    assert (
        "--property=MemoryMax=4294967296 --property=MemorySwapMax=0 --property=CPUQuota=50% -- /bin/sh"
        in words
    )


def test_what_ends_otherwise_in_a_scope_is_no_lack_of_memory(scope: Scope, tmp_path: Path) -> None:
    scope.gives(memory_max="1073741824\n", memory_events="low 0\noom 0\noom_kill 0\n")
    outcome = run(tmp_path, "exit 137", memory=2**32)
    assert (outcome.exit_code, outcome.cause) == (137, "")
    assert run(tmp_path, "true", memory=2**32).status == "FINISHED"


@pytest.mark.parametrize("outcome", [ended(0, []), ended(0, [signal.SIGINT]), timed_out(3)])
def test_other_ends_stay_what_they_are(tmp_path: Path, outcome: Outcome) -> None:
    details = {"events": str(tmp_path / "events"), "memory": "5"}
    assert limits.conclude(ended(3, []), details, {}) == ended(3, [])  # the shell that counts was killed, too
    (tmp_path / "events").write_text("oom_kill 2\n")
    assert limits.conclude(outcome, details, {}) == outcome
    assert limits.conclude(ended(3, []), details, {}).cause == "oom"


def test_the_command_in_a_scope_decides_what_a_signal_means(scope: Scope, tmp_path: Path) -> None:
    scope.gives(memory_max="1073741824\n", memory_events="oom_kill 0\n")
    command = (
        "trap 'echo usr' USR1; trap 'echo saved; exit 0' TERM; touch ready; while :; do sleep 0.05; done"
    )
    backend = LocalBackend()
    job = backend.attach(backend.submit(make_spec(tmp_path, command, limits=Limits(memory=2**30)), {}))

    def send() -> None:
        eventually((tmp_path / "ready").exists, "the command")
        job.signal(signal.SIGUSR1)
        eventually(lambda: b"usr" in job.logs(0), "the trap")
        job.signal(signal.SIGTERM)

    thread = threading.Thread(target=send)
    thread.start()
    outcome = job.wait()
    thread.join()
    assert (outcome.status, outcome.exit_code) == ("KILLED", 143)
    assert "saved" in (tmp_path / "output.log").read_text()
