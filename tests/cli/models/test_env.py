"""`projrun models env`: the environment that a model's files ask for."""

from __future__ import annotations

import subprocess
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
