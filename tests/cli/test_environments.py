"""Environments built by real `projrun run` processes: at once, from a lock, and what goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from projrun.cache.entries import ContentCache
from tests.backends.environments.python.packages import make_source_tree
from tests.support.commands import missing, run_command, run_projrun
from tests.support.workshop import Workshop

pytestmark = pytest.mark.integration  # builds real environments


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


def test_the_build_is_recorded_by_the_run_that_built_it(workshop: Workshop) -> None:
    project = workshop.project("sprocket<2")
    assert workshop.run(project).check().stdout == "1.0\n"
    assert "sprocket" in workshop.artifact("environment/build.log")
    assert "sprocket==1.0\n" in workshop.artifact("environment/requirements.lock.txt")
    workshop.run(project).check()
    artifacts = [item["path"] for item in workshop.last_run()["artifacts"]]
    assert artifacts == ["environment/requirements.lock.txt", "logs/output.log"]


def test_the_lock_of_a_run_builds_what_it_had(workshop: Workshop, tmp_path: Path) -> None:
    project = workshop.project("sprocket<2")
    workshop.run(project).check()
    lock = tmp_path / "recorded.txt"
    lock.write_text(workshop.artifact("environment/requirements.lock.txt"))
    workshop.project("sprocket")
    assert workshop.run(project).check().stdout == "2.0\n"
    assert workshop.run(project, "--locked", "recorded.txt").check().stdout == "1.0\n"
    assert workshop.artifact("environment/requirements.lock.txt") == lock.read_text()


def test_eight_processes_build_one_environment(workshop: Workshop) -> None:
    project = workshop.project("sprocket")
    runs = [workshop.start(project) for _ in range(8)]
    answers = [run.communicate(timeout=120) for run in runs]
    assert [(run.returncode, out) for run, (out, _) in zip(runs, answers, strict=True)] == [(0, "2.0\n")] * 8
    assert sum("building the environment" in err for _, err in answers) == 1
    (entry,) = workshop.entries()
    assert (entry.state, entry.path.name[:4]) == ("ready", "0001")


def test_nobody_waits_for_another_project(workshop: Workshop) -> None:
    slow, started, released = workshop.folder / "slow", workshop.folder / "started", workshop.folder / "go"
    make_source_tree(slow, "slow")
    backend = slow / "backend.py"
    wait = f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\n"
    wait += f"while not pathlib.Path({str(released)!r}).exists(): time.sleep(0.01)\n"
    backend.write_text(wait + backend.read_text())
    held = workshop.start(workshop.project(f"-e {slow}", name="held", imports="slow"))
    try:
        wait_for(started.exists)
        assert workshop.run(workshop.project("sprocket", name="quick")).check().stdout == "2.0\n"
        assert held.poll() is None
    finally:
        released.touch()
        out, err = held.communicate(timeout=60)
    assert (held.returncode, out) == (0, "1.0\n"), err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("running", "building"), [(7, 3), pytest.param(20, 8, marks=pytest.mark.large)], ids=["few", "many"]
)
def test_a_killed_builder_leaves_nothing_that_a_later_run_uses(
    workshop: Workshop, running: int, building: int
) -> None:
    project = workshop.project("sprocket")
    began = time.monotonic()
    workshop.run(project).check()
    takes = time.monotonic() - began
    hits = {"running": 0, "building": 0}
    for turn in range(80):
        if hits["running"] >= running and hits["building"] >= building:
            return
        cache = workshop.folder / f"cache-{turn}"
        environ = {"PROJRUN_CACHE_DIR": str(cache)}
        builder = workshop.start(project, environ=environ)
        time.sleep(random.uniform(0, takes))
        if builder.poll() is None:
            hits["running"] += 1
        else:
            takes *= 0.9  # the machine is faster than it was
        builder.kill()
        builder.communicate()
        environments = ContentCache(cache / "environments")
        hits["building"] += any(entry.state != "ready" for entry in environments.entries())
        assert workshop.run(project, environ=environ).check().stdout == "2.0\n"
        (entry,) = [one for one in environments.entries() if one.state == "ready"]
        assert (entry.path / "requirements.lock.txt").read_text().endswith("sprocket==2.0\n")
    pytest.fail(f"the kills did not hit often enough: {hits}")


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("sprocket==9.9", "9.9"),
        ("gasket", "gasket"),
        ("sprocket; python_version ~~ 3", "python_version"),
    ],
)
@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_what_cannot_be_installed(workshop: Workshop, manager: str, requirement: str, said: str) -> None:
    done = workshop.run(workshop.project(requirement), f"--env-manager={manager}")
    assert done.returncode == 4
    error = done.stderr[done.stderr.index("projrun: error:") :]
    line, *said_by_tool = error.splitlines()
    assert "the environment of requirements.txt could not be built" in line
    assert "check what requirements.txt asks for" in line
    assert said in "\n".join(said_by_tool)
    run = workshop.last_run()
    assert run["status"] == "FAILED"
    assert "could not be built" in run["tags"]["projrun.reason"]
    assert run["tags"]["projrun.exit_code"] == "4"
    assert said in workshop.artifact("environment/build.log")
    assert workshop.entries() == []


def test_a_line_that_is_no_requirement_is_found_by_the_plan(workshop: Workshop) -> None:
    done = workshop.run(workshop.project("sprocket", "sprocket=1"))
    assert done.returncode == 2
    assert "requirements.txt:2: 'sprocket=1' is not a requirement" in done.stderr
    assert not workshop.cache.exists()


def test_a_full_disk(workshop: Workshop) -> None:
    with small_disk(workshop.folder / "disk", "size=1m") as disk:
        environ = {"PROJRUN_CACHE_DIR": str(disk)}
        done = workshop.run(workshop.project("sprocket"), environ=environ)
        assert done.returncode == 74, done.stderr
        (document,) = (
            json.loads(workshop.run(workshop.project("sprocket"), "--json", environ=environ).stdout),
        )
        assert (document["exit_code"], document["status"]) == (74, "FAILED")
        assert run_projrun("runs", "show", document["run_id"]).check()
        assert "No space left on device" in done.stderr
        assert "projrun envs prune" in done.stderr
        assert "PROJRUN_CACHE_DIR" in done.stderr
        assert [path.name for path in disk.rglob("*.complete")] == []
        assert sum(path.lstat().st_size for path in disk.rglob("*") if path.is_file()) < 50_000
    run = workshop.last_run()
    assert (run["status"], run["tags"]["projrun.exit_code"]) == ("FAILED", "74")


def test_a_cache_that_cannot_be_written(workshop: Workshop) -> None:
    project = workshop.project("sprocket")
    with read_only(workshop.folder / "disk") as disk:
        done = workshop.run(project, environ={"PROJRUN_CACHE_DIR": str(disk)})
    assert done.returncode == (74 if os.geteuid() == 0 else 4)
    assert f"the environment cache {disk}/environments cannot be used" in done.stderr
    assert "PROJRUN_CACHE_DIR" in done.stderr
    assert workshop.last_run()["status"] == "FAILED"


def test_a_cache_that_cannot_be_written_serves_what_is_in_it(workshop: Workshop) -> None:
    project, disk = workshop.project("sprocket"), workshop.folder / "disk"
    other = workshop.project("sprocket<2", name="other")
    disk.mkdir()
    environ = {"PROJRUN_CACHE_DIR": str(disk)}

    def fill() -> None:
        workshop.run(project, environ=environ).check()

    with read_only(disk, fill):
        assert workshop.run(project, environ=environ).check().stdout == "2.0\n"
        assert workshop.run(other, environ=environ).returncode == (74 if os.geteuid() == 0 else 4)


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_no_network_is_no_wrong_requirement(workshop: Workshop, manager: str) -> None:
    """A port on which nothing listens."""
    index = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}
    environ = {**index, "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "0", "PIP_NO_INDEX": "", "UV_NO_INDEX": ""}
    project = workshop.project("projrun-nowhere==1.0")
    done = workshop.run(project, f"--env-manager={manager}", environ=environ)
    assert done.returncode == 4
    assert "could not be built: the package index does not answer; check the network" in done.stderr
    assert "check what requirements.txt asks for" not in done.stderr


def test_a_disk_on_which_nothing_can_be_written_has_one_exit_code(tmp_path: Path) -> None:
    """The store's, the cache's and that of an output are one fault."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").write_text("entry_points: {main: {command: 'true'}}\n")
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        (disk / "file").write_bytes(bytes(60_000))
        full = run_projrun(
            "run", project, "--env-manager=local", environ={"PROJRUN_HOME": str(disk / "home")}
        )
        run_command(["mount", "-o", "remount,ro", str(disk)]).check()
        read_only = run_projrun("run", project, "--env-manager=local", environ={"PROJRUN_HOME": str(disk)})
    for done in (full, read_only):
        assert done.returncode == 74, done.stderr
        assert "a bug in projrun" not in done.stderr


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own, which only root can mount."""
    folder.mkdir(exist_ok=True)
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        missing("a small disk needs Linux and root")
    mounted = run_command(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder])
    if mounted.returncode:
        missing(f"cannot mount: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        run_command(["umount", "--lazy", folder]).check()


@contextmanager
def read_only(folder: Path, fill: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A folder that cannot be written, not even by root."""
    if os.geteuid() == 0:
        with small_disk(folder, "size=100m") as disk:
            fill()
            run_command(["mount", "-o", "remount,ro", folder]).check()
            yield disk
        return
    folder.mkdir(exist_ok=True)
    fill()
    writable = [path for path in (folder, *folder.rglob("*")) if path.is_dir() and not path.is_symlink()]
    for path in writable:
        path.chmod(0o500)
    try:
        yield folder
    finally:
        for path in writable:
            path.chmod(0o700)


def test_the_choice_of_a_manager_is_that_of_nested_runs(workshop: Workshop) -> None:
    check_nested(workshop, "PROJRUN_ENV", ["--env-manager=local"], "local: $PROJRUN_ENV_MANAGER")


def test_an_environment_is_that_of_nested_runs(workshop: Workshop) -> None:
    venv = make_venv(workshop.folder / "venv")
    check_nested(workshop, "PROJRUN_ENV_MANAGER", ["--env", "venv"], "existing: $PROJRUN_ENV")
    tags = workshop.last_run()["tags"]
    assert tags["mlflow.project.env"] == "virtualenv"
    assert venv.name == "venv"


def test_a_nested_run_may_say_otherwise(workshop: Workshop) -> None:
    make_venv(workshop.folder / "venv")
    plan = "projrun plan inner --env-manager local"
    outer = workshop.project(name="outer")
    workshop.project(name="inner")
    (outer / "MLproject").write_text(f"entry_points: {{main: {{command: 'cd .. && {plan}'}}}}\n")
    assert "local: --env-manager" in workshop.run(outer, "--env", "venv").check().stdout


def check_nested(workshop: Workshop, stray: str, options: list[str], reason: str) -> None:
    """The other choice, inherited by the outer run, does not reach the inner one."""
    outer = workshop.project(name="outer")
    workshop.project(name="inner")
    command = "cd .. && projrun plan inner"
    (outer / "MLproject").write_text(f"entry_points: {{main: {{command: '{command}'}}}}\n")
    done = workshop.run(outer, *options, environ={stray: "/no/such/thing"})
    assert reason in done.check().stdout


def make_venv(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


def test_a_python_that_cannot_be_downloaded(workshop: Workshop) -> None:
    project = workshop.project("sprocket")
    (project / "python_env.yaml").write_text('python: "3.99"\n')
    refused = workshop.run(project, "--env-manager=uv")
    assert refused.returncode == 4
    assert "Python 3.99 not found" in refused.stderr
    assert "--python-downloads=automatic lets uv download it" in refused.stderr
    plan = run_projrun("plan", project, "--env-manager=uv", "--python-downloads=automatic").check()
    assert "Python 3.99, which uv downloads first" in plan.stdout
    done = workshop.run(project, "--env-manager=uv", "--python-downloads=automatic")
    assert done.returncode == 4
    assert "and uv could not download it" in done.stderr
    assert "3.99" in workshop.artifact("environment/build.log")
    assert workshop.last_run()["status"] == "FAILED"
    word = workshop.run(project, "--python-downloads=perhaps")
    assert (word.returncode, workshop.entries()) == (2, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--env", "gone"], "--env: folder"),
        (["--env", "."], "is not an environment"),
        (["--env", ".", "--env-manager", "uv"], "both --env and --env-manager are given"),
        (["--locked", "gone.lock"], "--locked: file"),
        (["--locked", "conda.lock"], "is a lock of a conda environment"),
        (["--locked", "loose.lock"], "loose.lock:1: 'numpy>=1' is not pinned"),
    ],
)
def test_requests_that_are_wrong_create_no_run(workshop: Workshop, options: list[str], message: str) -> None:
    (workshop.folder / "conda.lock").write_text("@EXPLICIT\n")
    (workshop.folder / "loose.lock").write_text("numpy>=1\n")
    done = workshop.run(workshop.project("sprocket"), *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "; " in done.stderr, "what to do is said, too"
    listed = run_projrun("runs", "list", "--json").check().stdout
    assert json.loads(listed)["runs"] == []


def test_the_api_takes_them_too(workshop: Workshop) -> None:
    project = workshop.project("sprocket")
    venv = make_venv(workshop.folder / "venv")
    (project / "script.py").write_text("import sys; print(sys.prefix)\n")
    (workshop.folder / "old.lock").write_text("sprocket==1.0\n")
    script = (
        "import projrun\n"
        "projrun.run('project', env='venv')\n"
        "projrun.run('project', env='venv', synchronous=False).wait()\n"
        "projrun.run('project', locked='old.lock', env_manager='uv', python_downloads='never')\n"
    )
    done = run_command([sys.executable, "-c", script], cwd=workshop.folder).check()
    first, second, third = done.stdout.splitlines()
    (entry,) = workshop.entries()
    assert (first, second, third) == (str(venv), str(venv), str(entry.path / "env"))
    assert "sprocket==1.0" in workshop.artifact("environment/requirements.lock.txt")


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_the_hashes_of_a_lock_are_checked(workshop: Workshop, manager: str) -> None:
    project = workshop.project("sprocket")
    wheel = next(workshop.wheels.glob("sprocket-1.0*"))
    lock = workshop.folder / "hashed.lock"
    for digest, code in ((hashlib.sha256(wheel.read_bytes()).hexdigest(), 0), ("0" * 64, 4)):
        lock.write_text(f"sprocket==1.0 \\\n    --hash=sha256:{digest}\n")
        done = workshop.run(project, "--locked", lock, f"--env-manager={manager}")
        assert done.returncode == code, done.stderr
    assert "hash" in workshop.artifact("environment/build.log").lower()
