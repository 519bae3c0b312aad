"""`projrun models env`: the environment that a model's files ask for."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from projrun.tracking.sql.store import SqlStore
from tests.support.commands import Completed, run_projrun
from tests.support.program import projrun_server
from tests.support.registered import registered_wine
from tests.support.workshop import Workshop

pytestmark = pytest.mark.processes


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


@pytest.fixture
def model(workshop: Workshop) -> Path:
    """A model that needs a package."""
    folder = workshop.folder / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {python_function: {loader_module: sprocket}}\n")
    (folder / "python_env.yaml").write_text("python: '3'\ndependencies: [-r requirements.txt]\n")
    (folder / "requirements.txt").write_text("sprocket<2\n")
    return folder


def env(*words: str | Path) -> Completed:
    return run_projrun("models", "env", "--env-manager=uv", *words)


def test_it_is_built_once_and_its_folder_printed(model: Path) -> None:
    first = env("-m", model).check()
    python = Path(first.stdout.strip()) / "bin" / "python"
    version = subprocess.run(
        [python, "-c", "import sprocket; print(sprocket.VERSION)"], capture_output=True, text=True, check=True
    )
    assert version.stdout == "1.0\n"
    again = env("-m", model).check()
    assert again.stdout == first.stdout
    assert "building" not in again.stderr


def test_what_is_installed_can_be_built_again(model: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(env("-m", model, "--lock").check().stdout)
    assert "sprocket==1.0" in lock.read_text()
    (model / "requirements.txt").write_text("sprocket\n")
    locked = env("-m", model, "--locked", lock, "--lock").check()
    assert "sprocket==1.0" in locked.stdout


def test_a_folder_that_is_no_model_builds_nothing(workshop: Workshop) -> None:
    done = env("-m", workshop.project("sprocket"))
    assert done.returncode == 2
    assert "is not a model: it has no MLmodel file" in done.stderr
    assert not workshop.cache.exists()


def test_a_model_from_elsewhere_needs_trust(model: Path, workshop: Workshop) -> None:
    elsewhere = workshop.folder / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    with projrun_server(elsewhere) as program:
        with closing(SqlStore.open(elsewhere / "projrun.db")) as store:
            registered_wine(store, model)
        named = ("-m", "models:/wine/1", "--tracking-uri", program.uri)
        refused = env(*named)
        assert refused.returncode == 3
        assert (
            "models:/wine/1 is from elsewhere, and using a model runs its code; give --trust"
            in refused.stderr
        )
        assert not workshop.cache.exists()
        built = env(*named, "--trust").check()
    assert env(*named, "--trust", "--offline").check().stdout == built.stdout


def test_without_an_environment_there_is_no_folder(model: Path) -> None:
    done = run_projrun("models", "env", "-m", model, "--env-manager=local")
    assert done.returncode == 2
    assert "the environment has no folder" in done.stderr


def name_run(model: Path, run_id: str) -> None:
    text = "flavors: {python_function: {loader_module: sprocket}}\n"
    (model / "MLmodel").write_text(f"{text}run_id: '{run_id}'\n")


def test_the_lock_of_the_models_run_is_built(model: Path, workshop: Workshop) -> None:
    workshop.run(workshop.project("sprocket<2"), "--env-manager=uv").check()
    name_run(model, workshop.last_run()["run_id"])
    (model / "requirements.txt").write_text("sprocket\n")
    assert "sprocket==2.0" in env("-m", model, "--lock").check().stdout
    assert "sprocket==1.0" in env("-m", model, "--locked", "--lock").check().stdout


def test_a_run_without_a_lock_is_named(model: Path, workshop: Workshop) -> None:
    done = env("-m", model, "--locked")
    assert done.returncode == 2
    assert (
        "--locked: the model names no run, so there is no recorded lock; remove --locked, or" in done.stderr
    )
    workshop.run(workshop.project(imports="sys"), "--env-manager=local")
    name_run(model, workshop.last_run()["run_id"])
    done = env("-m", model, "--locked")
    assert done.returncode == 2
    assert f"the run {workshop.last_run()['run_id']} recorded no lock of its environment" in done.stderr
    name_run(model, "0" * 32)
    assert "has no run '000" in env("-m", model, "--locked").stderr


@pytest.mark.parametrize("named", ["latest", "prefix"])
def test_only_a_whole_id_names_the_run_of_a_lock(model: Path, workshop: Workshop, named: str) -> None:
    workshop.run(workshop.project("sprocket<2"), "--env-manager=uv").check()
    run_id = workshop.last_run()["run_id"][:8] if named == "prefix" else named
    name_run(model, run_id)
    done = env("-m", model, "--locked")
    assert done.returncode == 2
    assert f"--locked: the model names '{run_id}', which is no run's id; remove --locked" in done.stderr


def test_offline_no_server_is_asked_what_an_address_means(workshop: Workshop) -> None:
    unreached = ("--offline", "--tracking-uri", "http://127.0.0.1:9")
    done = env("-m", "runs:/latest/model", *unreached)
    assert "runs:/latest/model has no whole run id, and --offline asks no server for it" in done.stderr
    assert done.returncode == 2
    done = env("-m", "models:/wine@champion", *unreached)
    assert "models:/wine@champion is not cached, and --offline contacts no server" in done.stderr
    done = run_projrun("models", "serve", "-m", "models:/wine@champion", "--follow", *unreached)
    assert "--follow asks where models:/wine@champion leads, and --offline contacts" in done.stderr
    assert done.returncode == 2


def test_a_lock_from_elsewhere_needs_trust_and_is_kept(
    model: Path, workshop: Workshop, tmp_path: Path
) -> None:
    elsewhere = workshop.folder / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    lock = tmp_path / "requirements.lock.txt"
    lock.write_text("sprocket==2.0\n")
    with projrun_server(elsewhere) as program:
        with closing(SqlStore.open(elsewhere / "projrun.db")) as store:
            run = registered_wine(store, model)
            store.artifacts(run.artifact_uri).upload(lock, f"environment/{lock.name}")
        name_run(model, run.run_id)
        named = ("-m", model, "--tracking-uri", program.uri, "--locked", "--lock")
        refused = env(*named)
        assert refused.returncode == 3
        assert "is from elsewhere, and using a model runs its code" in refused.stderr
        built = env(*named, "--trust").check()
        assert "sprocket==2.0" in built.stdout
    assert env(*named, "--trust", "--offline").check().stdout == built.stdout


def test_a_lock_that_is_not_cached_is_not_had_offline(model: Path) -> None:
    name_run(model, "0" * 32)
    done = env("-m", model, "--tracking-uri", "http://127.0.0.1:9", "--locked", "--offline")
    assert done.returncode == 3
    assert "is not cached, and --offline contacts no server" in done.stderr


def test_a_lock_of_an_image_is_no_environment(model: Path, workshop: Workshop) -> None:
    workshop.run(workshop.project(imports="sys"), "--env-manager=local")
    run = workshop.last_run()
    name_run(model, run["run_id"])
    folder = Path(run["artifact_folder"], "environment")
    folder.mkdir(exist_ok=True)
    (folder / "image.lock.txt").write_text(f"id: sha256:{'0' * 64}\n")
    done = env("-m", model, "--locked")
    assert done.returncode == 2
    assert "was in a container, and its lock is of an image" in done.stderr


def test_the_python_is_the_one_that_saved_the_model(model: Path) -> None:
    """Where no file of the environment asks for one."""
    (model / "python_env.yaml").unlink()
    here = sys.version_info
    text = "flavors: {{python_function: {{loader_module: sprocket, python_version: {}}}}}\n"
    (model / "MLmodel").write_text(text.format(f"{here.major}.{here.minor}.99"))
    done = env("-m", model).check()
    assert f"MLmodel asks for Python {here.major}.{here.minor}.99; {here.major}." in done.stderr
    (model / "MLmodel").write_text(text.format("3.2.1"))
    done = env("-m", model)
    assert done.returncode == 4
    assert "MLmodel: Python 3.2.1 not found" in done.stderr
    (model / "python_env.yaml").write_text("python: 3.3.0\n")
    assert "Python 3.3.0 not found" in env("-m", model).stderr
    (model / "python_env.yaml").unlink()
    (model / "conda.yaml").write_text("dependencies: [python=3.4.5]\n")
    assert "conda.yaml:1:16: Python =3.4.5 not found" in env("-m", model).stderr


def test_pickled_code_is_not_loaded_by_another_python(model: Path) -> None:
    flavor = "{loader_module: mlflow.pyfunc.model, python_model: model.pkl, python_version: 3.2.1}"
    (model / "MLmodel").write_text(f"flavors: {{python_function: {flavor}}}\n")
    for words in (("predict", "-i", model / "MLmodel"), ("check",), ("serve", "-p", "0")):
        done = run_projrun("models", *words, "-m", model, "--env-manager=local")
        assert done.returncode == 4
        assert "the model's code is pickled: it was saved by Python 3.2.1, and the environment" in done.stderr
