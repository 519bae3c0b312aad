"""A runner is ended at a random moment: no process, port, lock or folder is left of it, and every run gets its end."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.commands import projrun_argv, run_projrun
from tests.support.docker_bench import DockerBench

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")

GRACE = 0.5
PATIENCE = 20.0
"""Seconds beyond the grace period after which no process may be left, on a busy machine; each would take a minute."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.large) for seed in range(6, 50))]

CHILDREN = """\
echo "$MLFLOW_TRACKING_URI" > uri
setsid sleep 60 &
(setsid bash -c 'sleep 60; :' &)
nohup setsid sleep 60 > /dev/null 2>&1 &
setsid bash -c 'trap "" TERM INT HUP; while :; do sleep 0.1; done' > /dev/null 2>&1 &
setsid bash -c 'while :; do setsid sleep 0.3; done' > /dev/null 2>&1 &
set -m; sleep 60 & set +m
"""
UNMARKED = "env -i PATH=$PATH setsid sleep 60 &"
"""Survives the death of the runner, and a signal between its start and the look for children that a signal causes."""


class Bench:
    """A data folder, and a word that stands in the environment of every process below the runners of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.word = f"/nonexistent/{os.urandom(8).hex()}"
        # The guard and `env -i` get nothing but PATH.
        path = f"{os.environ['PATH']}{os.pathsep}{self.word}"
        self.environ = {**os.environ, "PROJRUN_HOME": str(folder / "home"), "PATH": path}

    def project(self, name: str, command: str) -> Path:
        project = self.folder / name
        project.mkdir(exist_ok=True)
        (project / "command.sh").write_text(command)
        entry = {"command": "bash command.sh"}
        (project / "MLproject").write_text(json.dumps({"name": name, "entry_points": {"main": entry}}))
        return project

    def start(self, project: Path, grace: float = GRACE) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*projrun_argv(), "run", project, "--env-manager=local", f"--grace-period={grace}"],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def runs(self) -> list[dict[str, Any]]:
        """What is recorded."""
        listed = run_projrun("runs", "list", "--json", "-n", "100", environ=self.environ).check()
        return list(json.loads(listed.stdout)["runs"])

    def processes(self) -> Iterator[tuple[int, str]]:
        """Those with the word, each with its command line."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    if self.word.encode() in (entry / "environ").read_bytes():
                        yield int(entry.name), (entry / "cmdline").read_bytes().decode().replace("\0", " ")
                except OSError:  # gone, or not ours to look at
                    continue

    def left_after(self, seconds: float) -> list[tuple[int, str]]:
        deadline = time.monotonic() + seconds
        while (left := list(self.processes())) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    def close(self) -> None:
        while left := list(self.processes()):
            for pid, _ in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"waited for {file.name}"
        time.sleep(0.01)


def assert_all_is_told(bench: Bench) -> None:
    """The next command ends what was lost; nothing in the data folder says that a run is active."""
    run_projrun("run", bench.project("next", "true"), "--env-manager=local", environ=bench.environ).check()
    for run in bench.runs():
        assert run["status"] in ("FINISHED", "FAILED", "KILLED")
        assert run["status"] == "FINISHED" or run["tags"]["projrun.reason"]
    active = bench.folder / "home" / "active"
    assert [entry.name for entry in active.iterdir()] == []


def assert_no_port(project: Path) -> None:
    uri = project / "uri"
    if not uri.exists() or not uri.read_text().strip():
        return
    address = urlsplit(uri.read_text().strip())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname or "", address.port or 0), timeout=5).close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_runner_ended_at_any_moment_leaves_nothing(bench: Bench, seed: int) -> None:
    signum = SIGNALS[seed % len(SIGNALS)]
    chance = random.Random(seed)
    early = seed % 2
    unmarked = "" if signum == signal.SIGKILL or early else UNMARKED
    project = bench.project("project", f"{CHILDREN}{unmarked}\ntouch up\nsleep 60\n")
    runner = bench.start(project)
    try:
        if early:
            time.sleep(chance.uniform(0, 1))
        else:
            wait_for(project / "up")
            time.sleep(chance.uniform(0, 0.3))
        runner.send_signal(signum)
        assert bench.left_after(GRACE + PATIENCE) == []
        code = runner.wait(60)
    finally:
        runner.kill()
        runner.wait()
    assert code == (-signum if signum == signal.SIGKILL or code < 0 else 128 + signum)
    assert_no_port(project)
    assert_all_is_told(bench)


def test_a_killed_run_leaves_no_container(docker: DockerBench) -> None:
    """What it started beside the container ends with it."""
    docker.project("touch up; sleep 60")
    process = docker.start(f"--grace-period={GRACE}")
    try:
        wait_for(docker.folder / "project" / "up")
        assert len(docker.containers()) == 1
        process.kill()
        docker.eventually(lambda: docker.containers() == [], "the end of the container")
    finally:
        process.kill()
        process.communicate()


NESTED = """\
projrun run ../inner --env-manager=local --run-name=inner > /dev/null 2>&1 &
setsid projrun run ../apart --env-manager=local --run-name=apart > /dev/null 2>&1 &
PROJRUN_KEEP=1 setsid projrun run ../kept --env-manager=local --run-name=kept > /dev/null 2>&1 &
projrun run ../detached --env-manager=local --run-name=detached --detach --quiet
wait
"""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_nested_runs_end_with_the_outer_one_unless_they_are_to_be_kept(bench: Bench, signum: int) -> None:
    nested = ("inner", "apart", "kept", "detached")
    projects = [bench.project(name, "setsid sleep 60 & touch up; sleep 60") for name in nested]
    outer = bench.start(bench.project("outer", NESTED), grace=10)
    try:
        for project in projects:
            wait_for(project / "up")
        outer.send_signal(signum)
        outer.wait(60)
        deadline = time.monotonic() + 60
        while any("/inner" in words or "/apart" in words for _, words in bench.processes()):
            assert time.monotonic() < deadline, list(bench.processes())
            time.sleep(0.1)
    finally:
        outer.kill()
        outer.wait()
    # Where the outer runner is gone, the nested ones could only note their ends: the next command records them.
    run_projrun("run", bench.project("next", "true"), "--env-manager=local", environ=bench.environ).check()
    runs = {run["run_name"]: run for run in bench.runs()}
    for name in nested[:2]:
        assert runs[name]["tags"]["projrun.reason"] == "interrupted by SIGTERM", name
    assert [runs[name]["status"] for name in nested[2:]] == ["RUNNING", "RUNNING"]
    commands = [words for _, words in bench.processes()]
    assert commands.count("sleep 60 ") == 4, commands
