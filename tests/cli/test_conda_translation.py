"""Projects with a conda.yaml that is built from PyPI: which manager is chosen, what is said and recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.backends.environments.python.packages import make_wheel, write_files
from tests.support.commands import run_projrun
from tests.support.conda import conda_channel, shared_packages
from tests.support.workshop import Workshop

pytestmark = pytest.mark.integration  # builds real environments

TAG = "projrun.environment.translated"
DEAD = "http://127.0.0.1:1/forge"
MLPROJECT = """\
name: gears
conda_env: conda.yaml
entry_points:
  main: {command: 'python -c "import crank, sys; print(crank.VERSION, sys.prefix)"'}
"""
EXPORT = """\
name: gears
channels:
  - defaults
dependencies:
  - _libgcc_mutex=0.1=main
  - _openmp_mutex=5.1=1_gnu
  - bzip2=1.0.8=h7b6447c_0
  - ca-certificates=2023.01.10=h06a4308_0
  - crank=2.0=py311h06a4308_0
  - cudatoolkit=11.3.1=h2bc3f7f_2
  - gcc_impl_linux-64=11.2.0=h1234567_1
  - ld_impl_linux-64=2.38=h1181459_1
  - libffi=3.4.2=h6a678d5_6
  - libpng=1.6.39=h5eee18b_0
  - libstdcxx-ng=11.2.0=h1234567_1
  - msgpack-python=1.0.3=py311hd09550d_0
  - ncurses=6.4=h6a678d5_0
  - openssl=1.1.1t=h7f8727e_0
  - python={python}=h955ad1f_0
  - readline=8.2=h5eee18b_0
  - sqlite=3.41.1=h5eee18b_0
  - tk=8.6.12=h1ccaba5_0
  - tzdata=2022g=h04d1e81_0
  - xz=5.2.10=h5eee18b_1
  - zlib=1.2.13=h5eee18b_0
  - pip:
      - sprocket==1.0
prefix: /home/ada/miniconda3/envs/gears
"""


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = Workshop(tmp_path, monkeypatch)
    shared_packages(made.cache)
    for version in ("1.0", "2.0"):
        make_wheel(made.wheels, "crank", version)
    make_wheel(made.wheels, "msgpack", "1.0.3")
    return made


def project(workshop: Workshop, *dependencies: str, channel: str = DEAD) -> Path:
    listed = "".join(f"  - {line}\n" for line in dependencies)
    text = f"channels: ['{channel}', nodefaults]\ndependencies:\n{listed}"
    return write_files(workshop.folder / "gears", {"MLproject": MLPROJECT, "conda.yaml": text})


def warnings(stderr: str) -> Sequence[str]:
    return [line for line in stderr.splitlines() if "warning:" in line]


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_the_manager_that_is_asked_for_translates(workshop: Workshop, manager: str) -> None:
    folder = project(workshop, "python", "crank=1", "msgpack-python", "openssl", "pip: [sprocket]")
    done = workshop.run(folder, f"--env-manager={manager}").check()
    (entry,) = workshop.entries()
    assert done.stdout == f"1.0 {entry.path}/env\n"
    (warning,) = warnings(done.stderr)
    assert warning.endswith(
        "conda.yaml is built from PyPI; 2 conda packages translated (msgpack-python as msgpack); left out openssl"
    )
    run = workshop.last_run()
    assert run["tags"][TAG] == "crank=1 -> crank==1.*; msgpack-python -> msgpack; left out: openssl"
    assert (run["tags"]["mlflow.project.env"], run["tags"]["projrun.env_manager"]) == (manager, manager)
    lock = workshop.artifact("environment/requirements.lock.txt").splitlines()
    assert {"crank==1.0", "msgpack==1.0.3", "sprocket==2.0"} <= set(lock)


def test_the_plan_lists_the_whole_translation(workshop: Workshop) -> None:
    folder = project(workshop, "crank=1", "msgpack-python", "openssl")
    done = run_projrun("plan", folder, cwd=workshop.folder).check()
    assert "crank=1 -> crank==1.*" in done.stdout
    assert "msgpack-python -> msgpack" in done.stdout
    assert f"uv: the conda channel {DEAD} does not answer" in done.stdout
    shown = json.loads(run_projrun("plan", folder, "--json", cwd=workshop.folder).check().stdout)
    assert shown["environment"]["manager"] == "uv"
    assert workshop.entries() == []


def test_a_channel_that_answers_means_conda(workshop: Workshop) -> None:
    done = workshop.run(project(workshop, "crank", channel=conda_channel().as_uri())).check()
    assert "building the environment: conda" in done.stderr
    assert warnings(done.stderr) == []
    tags = workshop.last_run()["tags"]
    assert (tags["mlflow.project.env"], TAG in tags) == ("conda", False)


def test_a_dead_channel_means_a_translation_with_one_warning(workshop: Workshop) -> None:
    folder = project(workshop, "crank")
    done = workshop.run(folder).check()
    assert done.stdout.startswith("2.0 ")
    (warning,) = warnings(done.stderr)
    assert warning.endswith(
        f"conda.yaml is built from PyPI because the conda channel {DEAD} does not answer;"
        " 1 conda package translated"
    )
    assert workshop.last_run()["tags"][TAG] == "crank -> crank"
    assert DEAD in (workshop.cache / "conda-channels.json").read_text()


def test_offline_the_network_is_not_asked(workshop: Workshop) -> None:
    done = workshop.run(project(workshop, "crank"), "--offline").check()
    assert f"because no answer of {DEAD} is known (--offline)" in done.stderr
    assert not (workshop.cache / "conda-channels.json").exists()


def test_an_environment_that_conda_built_outlives_its_channel(workshop: Workshop) -> None:
    channel = workshop.folder / "channel"
    channel.symlink_to(conda_channel())
    folder = project(workshop, "crank", channel=channel.as_uri())
    first = workshop.run(folder).check()
    channel.unlink()
    again = workshop.run(folder).check()
    assert again.stdout == first.stdout
    assert warnings(again.stderr) == []


def test_rerun_keeps_the_manager_whatever_answers_now(workshop: Workshop) -> None:
    channel = workshop.folder / "channel"
    folder = project(workshop, "crank", channel=channel.as_uri())
    translated = workshop.run(folder).check()
    channel.symlink_to(conda_channel())
    first = workshop.last_run()
    run_projrun("rerun", first["run_id"], cwd=workshop.folder).check()
    again = workshop.last_run()
    assert again["run_id"] != first["run_id"]
    assert again["tags"]["mlflow.project.env"] == first["tags"]["mlflow.project.env"] == "uv"
    assert again["tags"][TAG] == first["tags"][TAG]

    by_conda = workshop.run(folder, "--env-manager=conda").check()
    assert by_conda.stdout != translated.stdout
    run = workshop.last_run()
    channel.unlink()
    run_projrun("rerun", run["run_id"], "--unlocked", cwd=workshop.folder).check()
    assert workshop.last_run()["tags"]["mlflow.project.env"] == "conda"


def test_a_lock_decides_whatever_answers_now(workshop: Workshop) -> None:
    workshop.run(project(workshop, "crank=1")).check()
    write_files(workshop.folder, {"python.txt": workshop.artifact("environment/requirements.lock.txt")})
    folder = project(workshop, "crank", channel=conda_channel().as_uri())
    done = workshop.run(folder, "--locked", "python.txt").check()
    assert done.stdout.startswith("1.0 ")
    assert workshop.last_run()["tags"]["mlflow.project.env"] == "uv"
    workshop.run(folder).check()
    write_files(workshop.folder, {"conda.txt": workshop.artifact("environment/conda.lock.txt")})
    workshop.run(project(workshop, "crank=1"), "--locked", "conda.txt").check()
    assert workshop.last_run()["tags"]["mlflow.project.env"] == "conda"


@pytest.mark.parametrize("options", [(), ("--env-manager=virtualenv",)])
def test_an_export_of_conda(workshop: Workshop, options: tuple[str, ...]) -> None:
    import platform

    text = EXPORT.replace("{python}", platform.python_version()).replace(
        "- defaults", f"- {DEAD}\n  - nodefaults"
    )
    folder = write_files(workshop.folder / "gears", {"MLproject": MLPROJECT, "conda.yaml": text})
    done = workshop.run(folder, *options).check()
    assert done.stdout.startswith("2.0 ")
    (warning,) = warnings(done.stderr)
    assert "2 conda packages translated (msgpack-python=1.0.3=py311hd09550d_0 as msgpack==1.0.3)" in warning
    assert warning.endswith(
        "left out _libgcc_mutex, _openmp_mutex, bzip2, ca-certificates, cudatoolkit, gcc_impl_linux-64 and 12 more"
    )
    tag = workshop.last_run()["tags"][TAG]
    assert tag.startswith(
        "crank=2.0=py311h06a4308_0 -> crank==2.0; msgpack-python=1.0.3=py311hd09550d_0 -> msgpack==1.0.3;"
    )


def test_what_only_conda_has_is_one_error_before_a_run_exists(workshop: Workshop) -> None:
    folder = project(workshop, "crank", "openjdk=8", "r-base", "cudatoolkit=11.3", "openssl")
    done = workshop.run(folder, "--env-manager=uv")
    assert done.returncode == 4
    assert (
        "conda.yaml asks for what only conda can install: openjdk=8, r-base, cudatoolkit=11.3; "
        in done.stderr
    )
    assert json.loads(run_projrun("runs", "list", "--json").check().stdout)["runs"] == []
