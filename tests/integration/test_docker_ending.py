"""How runs in containers end: by themselves, by signals, by a lack of memory, with their runner, or not at all."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.support.docker_bench import DockerBench

pytestmark = pytest.mark.integration

STUBBORN = """\
import signal, sys, time
def note(signum, frame):
    open("noted", "a").write(signal.Signals(signum).name + "\\n")
for one in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(one, note)
open("up", "w")
while True:
    time.sleep(0.1)
"""
CHECKPOINT = """\
import time
open("up", "w")
try:
    time.sleep(60)
finally:
    open("checkpoint", "w")
"""
AWAY = """\
import os, time
os.setpgid(0, 1)
open("up", "w")
while not os.path.exists("signalled"):
    time.sleep(0.05)
print("the end")
"""
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.large) for seed in (2, 3, 4))]
"""Moments after the start."""


@contextmanager
def running(docker: DockerBench, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run whose command has come so far as to make the file `up`."""
    process = docker.start(*arguments)
    try:
        docker.eventually((docker.folder / "project/up").exists, "the command")
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def noted(docker: DockerBench) -> list[str]:
    """The signals that the command saw."""
    file = docker.folder / "project/noted"
    return file.read_text().split() if file.exists() else []


def test_the_first_ctrl_c_lets_a_script_write_its_checkpoint(docker: DockerBench) -> None:
    docker.project("python train.py && echo never", train_py=CHECKPOINT)
    with running(docker) as process:
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "never" not in stdout
    assert (docker.folder / "project/checkpoint").exists()
    run = docker.recorded()
    assert (run["status"], run["tags"]["projrun.reason"]) == ("KILLED", "interrupted by SIGINT")


def test_what_ignores_every_signal_is_killed_after_the_grace_period(docker: DockerBench) -> None:
    docker.project("python train.py", train_py=STUBBORN)
    with running(docker, "--grace-period", "0.5") as process:
        process.send_signal(signal.SIGUSR1)
        docker.eventually(lambda: "SIGUSR1" in noted(docker), "USR1")
        process.send_signal(signal.SIGINT)
        docker.eventually(lambda: "SIGINT" in noted(docker), "INT")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert noted(docker) == ["SIGUSR1", "SIGINT", "SIGTERM"]
    assert docker.containers() == []
    assert docker.recorded()["status"] == "KILLED"


def test_a_signal_that_finds_no_process_group_leaves_no_line_in_the_output(docker: DockerBench) -> None:
    """As a resize does in the moment before the command has its group; here the command has left it."""
    project = docker.project("python away.py", away_py=AWAY)
    with running(docker) as process:
        (run_id,) = docker.containers()
        docker.docker("kill", "--signal", "WINCH", f"projrun-{run_id}")
        (project / "signalled").touch()
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, "tini" in stderr) == (0, "the end\n", False)


def test_term_ends_it_with_143(docker: DockerBench) -> None:
    docker.project("sh -c 'python train.py; echo never'", train_py=STUBBORN.replace("signal.SIGTERM, ", ""))
    with running(docker) as process:
        process.terminate()
        stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (143, "")


def test_a_runner_that_is_killed_takes_its_container_along(docker: DockerBench) -> None:
    docker.project("python train.py", train_py=STUBBORN)
    with running(docker, "--grace-period", "0.5") as process:
        assert len(docker.containers()) == 1
        process.kill()
        docker.eventually(lambda: noted(docker) == ["SIGTERM"], "TERM")
        docker.eventually(lambda: docker.containers() == [], "the end of the container")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_runner_killed_at_any_moment_leaves_no_container(docker: DockerBench, seed: int) -> None:
    docker.project("python train.py", train_py="import time\ntime.sleep(0.2)\n")
    process = docker.start("--grace-period", "0.2")
    assert process.stderr is not None
    process.stderr.readline()  # the run is recorded
    time.sleep(random.Random(seed).uniform(0, 1.5))
    process.kill()
    process.communicate(timeout=60)
    # What the daemon was asked for last may come late: the guard looks twice.
    time.sleep(3)
    docker.eventually(lambda: docker.containers() == [], "the end of the container")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_runner_told_to_end_at_any_moment_leaves_no_container(docker: DockerBench, seed: int) -> None:
    docker.project("python train.py", train_py="import time\ntime.sleep(60)\n")
    process = docker.start("--grace-period", "0.5")
    assert process.stderr is not None
    process.stderr.readline()
    time.sleep(random.Random(seed).uniform(0, 1.0))
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert docker.containers() == []
    assert docker.recorded()["status"] == "KILLED"


@pytest.mark.parametrize(
    "words", [("-A", "memory=64m"), ("--memory", "64m"), ("--memory", "1g", "-A", "m=64m")]
)
def test_a_lack_of_memory_is_called_by_its_name(docker: DockerBench, words: Sequence[str]) -> None:
    docker.project("python -c 'x = bytearray(300_000_000)'")
    done = docker.run(*words)
    assert done.returncode == 137
    reason = (
        "out of memory: the container reached its limit of 64 MiB (exit code 137); raise it with --memory"
    )
    tags = docker.recorded()["tags"]
    assert (tags["projrun.reason"], tags["projrun.oom"]) == (reason, "true")
    assert reason in done.stderr


def test_a_container_gets_no_more_processors_than_asked_for(docker: DockerBench) -> None:
    docker.project("cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || true")
    done = docker.run("--cpus", "0.5")
    assert done.stdout in ("50000 100000\n", "50000\n")


def test_a_container_is_shown_no_gpus(docker: DockerBench) -> None:
    docker.project("echo ${CUDA_VISIBLE_DEVICES-unset}, $NVIDIA_VISIBLE_DEVICES")
    assert docker.run("--gpus", "0").stdout == ", void\n"


def test_each_attempt_gets_its_time_and_a_container_of_its_own(docker: DockerBench) -> None:
    docker.project("echo attempt $PROJRUN_ATTEMPT; sleep 60")
    words = ("--timeout", "1", "--grace-period", "1", "--retries", "1", "--retry-on", "timeout")
    assert docker.run(*words).returncode == 124
    run = docker.recorded()
    tags = ("projrun.reason", "projrun.timeout", "projrun.attempts")
    assert [run["tags"][tag] for tag in tags] == ["timed out after 1 s", "true", "2"]
    assert run["status"] == "FAILED"
    assert docker.containers() == []


@pytest.mark.parametrize(
    ("command", "code", "reason"),
    [
        (
            "no-such-program --here",
            127,
            "command not found in the image projrun-tests/base:latest (exit code 127)",
        ),
        (
            "./train.py",
            126,
            "command found but not executable in the image projrun-tests/base:latest (exit code 126)",
        ),
        ("exit 125", 125, "exit code 125"),
        ("kill -SEGV $$", 139, "exit code 139: a program of the command was killed by SIGSEGV"),
    ],
)
def test_exit_codes_are_the_commands_own(docker: DockerBench, command: str, code: int, reason: str) -> None:
    docker.project(command, train_py="")
    assert docker.run().returncode == code
    run = docker.recorded()
    assert (run["status"], run["tags"]["projrun.reason"]) == ("FAILED", reason)


@pytest.mark.parametrize(
    ("argument", "said", "remedy"),
    [
        ("no-such-flag=1", "unknown flag: --no-such-flag", "`docker run --help` lists what -A takes"),
        ("volume=/x:relative", "mount path must be absolute", "projrun plan"),
        ("gpus=all", "could not select device driver", "NVIDIA Container Toolkit"),
        ("runtime=nowhere", "nowhere", "projrun plan"),
    ],
)
def test_a_container_that_cannot_be_is_told_in_dockers_words(
    docker: DockerBench, argument: str, said: str, remedy: str
) -> None:
    docker.project("python train.py", train_py="")
    done = docker.run("-A", argument)
    assert done.returncode == 4
    last = done.stderr.splitlines()[-1]
    assert last.startswith("projrun: error: Docker could not start the container: ")
    assert said in last
    assert remedy in last
    run = docker.recorded()
    assert run["status"] == "FAILED"
    assert said in run["tags"]["projrun.reason"]


def test_somebody_elses_container_of_that_name_is_left_alone(docker: DockerBench) -> None:
    docker.docker("create", "--name", "projrun-tests-theirs", "projrun-tests/base:latest", "true")
    try:
        docker.project("python train.py", train_py="")
        done = docker.run("-A", "name=projrun-tests-theirs")
        assert done.returncode == 4
        assert "choose another -A name" in done.stderr
    finally:
        docker.docker("rm", "projrun-tests-theirs")


def test_what_a_crash_of_the_machine_left_of_this_run_is_removed(docker: DockerBench) -> None:
    docker.project("python train.py", train_py="")
    docker.run().check()
    run_id = docker.recorded()["run_id"]
    docker.docker("create", "--label", f"projrun.run_id={run_id}", "--name", f"projrun-{run_id}",
                  "projrun-tests/base:latest", "true")  # fmt: skip
    scratch = docker.folder / "home/active" / run_id / "scratch"
    scratch.mkdir(parents=True)
    (scratch / "container.id").write_text("an id")
    docker.run("--run-id", run_id).check()


def test_a_container_that_somebody_removed(docker: DockerBench) -> None:
    docker.project("python train.py", train_py=STUBBORN)
    with running(docker) as process:
        (run_id,) = docker.containers()
        docker.docker("rm", "--force", f"projrun-{run_id}")
        process.communicate(timeout=60)
    assert process.returncode in (125, 137), "as the docker program saw it"
    assert docker.recorded()["status"] == "FAILED"


@pytest.mark.parametrize("address", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:9"])
def test_no_daemon(docker: DockerBench, address: str) -> None:
    docker.project("python train.py", train_py="")
    done = docker.run(environ={"DOCKER_HOST": address})
    assert done.returncode == 4
    assert f"the Docker daemon cannot be reached at {address}: " in done.stderr
    assert "systemctl start docker" in done.stderr
    run = docker.recorded()
    assert run["status"] == "FAILED"
    assert run["tags"]["projrun.reason"].startswith("the Docker daemon cannot be reached")
