"""Projects with a conda.yaml, run by real `projrun run` processes on a channel of this machine."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from projrun.cache.entries import ContentCache
from tests.backends.environments.python.packages import write_files
from tests.cli.test_environments import small_disk
from tests.support.commands import run_command, run_projrun
from tests.support.conda import conda_channel, shared_packages
from tests.support.workshop import Workshop

pytestmark = pytest.mark.integration  # builds real environments

MLPROJECT = """\
name: gears
conda_env: conda.yaml
entry_points:
  main:
    command: crank && python -c "import cog, sys; print(cog.VERSION, sys.prefix)"
  words:
    parameters: {text: string}
    command: echo {text} "$SECOND"
  nested:
    command: projrun run . -e main --quiet
"""


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = Workshop(tmp_path, monkeypatch)
    shared_packages(made.cache)
    return made


def project(workshop: Workshop, *dependencies: str) -> Path:
    listed = "".join(f"  - {line}\n" for line in dependencies)
    conda = f"channels: ['{conda_channel().as_uri()}']\ndependencies:\n{listed}"
    return write_files(workshop.folder / "gears", {"MLproject": MLPROJECT, "conda.yaml": conda})


def test_a_project_runs_where_no_conda_is_installed(workshop: Workshop) -> None:
    folder = project(workshop, "crank", "pip: [sprocket]")
    done = workshop.run(folder).check()
    (entry,) = workshop.entries()
    assert done.stdout == f"crank 1.0\n1.0 {entry.path}/env\n"
    assert "building the environment: conda (py-rattler), 1 dependency and 1 pip requirement" in done.stderr
    run = workshop.last_run()
    assert run["tags"]["mlflow.project.env"] == "conda"
    lock = workshop.artifact("environment/conda.lock.txt")
    assert "@EXPLICIT\n" in lock
    assert lock.endswith("# pip sprocket==2.0\n")
    assert "Resolved 4 packages" in workshop.artifact("environment/build.log")


def test_the_second_run_solves_nothing(workshop: Workshop) -> None:
    folder = project(workshop, "crank")
    first = workshop.run(folder).check()
    poison = write_files(workshop.folder / "poison", {"rattler.py": "raise SystemExit('imported')\n"})
    again = workshop.run(folder, environ={"PYTHONPATH": str(poison)}).check()
    assert again.stdout == first.stdout
    assert "building" not in again.stderr
    artifacts = [item["path"] for item in workshop.last_run()["artifacts"]]
    assert artifacts == ["environment/conda.lock.txt", "logs/output.log"]


def test_the_plan_says_what_would_be_built(workshop: Workshop) -> None:
    folder = project(workshop, "crank", "cog<2")
    shown = json.loads(run_projrun("plan", folder, "--json", cwd=workshop.folder).check().stdout)
    environment = shown["environment"]
    assert environment["manager"] == "conda"
    assert environment["exists"] is False
    assert "2 dependencies from conda.yaml" in environment["summary"]
    assert "conda.yaml needs more than pip can install" in json.dumps(shown)
    assert workshop.entries() == []


def test_values_with_quotes_reach_the_command_through_activation(workshop: Workshop) -> None:
    folder = project(workshop, "setter")
    text = 'it\'s "$HOME" `x` \\ {y}'
    done = workshop.run(folder, "-e", "words", "-P", f"text={text}", environ={"OUTSIDE": "outside"}).check()
    assert done.stdout == f"{text} share and outside\n"


def test_a_recorded_lock_builds_the_same_again(workshop: Workshop) -> None:
    workshop.run(project(workshop, "crank", "cog=1.0")).check()
    write_files(workshop.folder, {"recorded.txt": workshop.artifact("environment/conda.lock.txt")})
    folder = project(workshop, "crank", "plain")
    done = workshop.run(folder, "--locked", "recorded.txt").check()
    assert done.stdout.startswith("crank 1.0\n1.0 ")
    assert workshop.artifact("environment/conda.lock.txt") == (workshop.folder / "recorded.txt").read_text()


def test_the_lock_of_a_python_environment_is_refused(workshop: Workshop) -> None:
    write_files(workshop.folder, {"lock.txt": "numpy==1.2\n"})
    done = workshop.run(project(workshop, "crank"), "--locked", "lock.txt", "--env-manager=conda")
    assert done.returncode == 2
    assert "lock.txt is not a lock of a conda environment" in done.stderr


def test_a_nested_run_uses_the_same_environment(workshop: Workshop) -> None:
    folder = project(workshop, "crank")
    done = workshop.run(folder, "-e", "nested", "--env-manager=conda", "--conda-exe=rattler").check()
    assert done.stdout.startswith("crank 1.0\n")
    assert len(workshop.entries()) == 1


def test_conda_for_a_file_that_pip_could_serve(workshop: Workshop) -> None:
    folder = project(workshop, "python", "pip: [sprocket]")
    done = workshop.run(folder, "-e", "words", "-P", "text=x", "--env-manager=conda").check()
    assert "conda (py-rattler)" in done.stderr
    assert workshop.last_run()["tags"]["mlflow.project.env"] == "conda"


def test_what_cannot_be_solved_ends_the_run(workshop: Workshop) -> None:
    done = workshop.run(project(workshop, "crank", "cog>=2"))
    assert done.returncode == 4
    assert "its channels cannot satisfy all of its dependencies together" in done.stderr
    assert "crank" in done.stderr
    run = workshop.last_run()
    assert run["status"] == "FAILED"
    assert "cannot satisfy all" in run["tags"]["projrun.reason"]
    assert "crank" in workshop.artifact("environment/build.log")
    assert workshop.entries() == []


def test_a_file_that_is_wrong_is_found_by_the_plan(workshop: Workshop) -> None:
    done = workshop.run(project(workshop, "crank", "npm: [left-pad]"))
    assert done.returncode == 2
    assert "conda.yaml:4:5: 'npm' is not `pip`" in done.stderr


def test_a_conda_exe_that_is_not_there(workshop: Workshop) -> None:
    done = workshop.run(project(workshop, "crank"), "--conda-exe", "bin/mamba")
    assert done.returncode == 4
    assert f"{workshop.folder}/bin/mamba is not a program" in done.stderr


def test_projects_at_once_share_what_they_download(workshop: Workshop) -> None:
    (workshop.cache / "conda-packages/pkgs").unlink()
    listed = {"first": ["crank"], "second": ["crank", "cog=1.0"], "third": ["crank", "plain"]}
    folders = [project(workshop, *lines).rename(workshop.folder / name) for name, lines in listed.items()]
    runs = [workshop.start(folder) for folder in folders]
    answers = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], answers
    assert all(out.startswith("crank 1.0\n1.0 ") for out, _ in answers)
    assert len(workshop.entries()) == 3


def test_a_full_disk(workshop: Workshop) -> None:
    with small_disk(workshop.folder / "disk", "size=20m") as disk:
        environ = {"PROJRUN_CACHE_DIR": str(disk)}
        done = workshop.run(project(workshop, "crank"), environ=environ)
        assert done.returncode == 74, done.stderr
        assert "projrun envs prune" in done.stderr
        assert not list(disk.rglob("*.complete"))
    assert workshop.last_run()["status"] == "FAILED"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing(workshop: Workshop, signum: int) -> None:
    runner = workshop.start(project(workshop, "crank", "pip: [sprocket]"))
    wait_for_entry(workshop.cache)
    runner.send_signal(signum)
    runner.communicate(timeout=60)
    assert runner.returncode == 128 + signum
    assert workshop.entries() == []
    assert workshop.last_run()["status"] == "KILLED"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("turns", "least"), [(3, 1), pytest.param(12, 3, marks=pytest.mark.large)], ids=["few", "many"]
)
def test_a_killed_builder_leaves_nothing_that_a_later_run_uses(
    workshop: Workshop, turns: int, least: int
) -> None:
    folder = project(workshop, "crank", "setter")
    began = time.monotonic()
    expected = workshop.run(folder).check().stdout.split()[:3]
    takes = time.monotonic() - began
    cut = 0
    for turn in range(40):
        if turn >= turns and cut >= least:
            return
        cache = workshop.folder / f"cache-{turn}"
        # The first turns share no package with another: their unpacking is killed, too.
        if turn >= 2:
            shared_packages(cache / "environments")
        environ = {"PROJRUN_CACHE_DIR": str(cache)}
        builder = workshop.start(folder, environ=environ)
        time.sleep(random.uniform(0.1, takes))
        if builder.poll() is not None:
            takes *= 0.9  # the machine is faster than it was
        builder.kill()
        builder.communicate()
        environments = ContentCache(cache / "environments")
        cut += any(entry.state != "ready" for entry in environments.entries())
        assert workshop.run(folder, environ=environ).check().stdout.split()[:3] == expected
        assert [entry.state for entry in environments.entries()].count("ready") == 1
    pytest.fail(f"only {cut} kills hit a build")


def wait_for_entry(cache: Path) -> None:
    end = time.monotonic() + 60
    while not list(cache.glob("*/0001-*/env")):
        assert time.monotonic() < end, "no build began"
        time.sleep(0.01)


def test_the_build_ends_with_its_runner(workshop: Workshop) -> None:
    runner = workshop.start(project(workshop, "crank"))
    wait_for_entry(workshop.cache)
    runner.kill()
    runner.communicate(timeout=60)  # until the last process that holds its output has ended
    end = time.monotonic() + 60
    while str(workshop.cache) in run_command(["ps", "-eo", "args"]).check().stdout:
        assert time.monotonic() < end, "the worker goes on"
        time.sleep(0.05)


def test_a_plain_run_does_not_import_what_conda_needs(workshop: Workshop) -> None:
    modules = "projrun.cli, projrun.running.plan, projrun.environments.registry"
    script = f"import {modules}, sys; print([name for name in sys.modules if 'conda' in name or 'rattler' in name])"
    assert run_command([sys.executable, "-c", script], environ=dict(os.environ)).check().stdout == "[]\n"
