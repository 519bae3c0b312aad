"""`projrun models` and the registry of real MLflow servers, of both lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.testing.run_store_base import unique
from projrun.tracking.entities import Run
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.rest.store import RestStore
from tests.support.registered import ModelsCommand

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(params=["2", "3"])
def uri(request: pytest.FixtureRequest, home: Path) -> str:
    return str(request.getfixturevalue(f"mlflow{request.param}_server"))


@pytest.fixture
def store(uri: str) -> Iterator[RestStore]:
    with closing(RestStore(uri, {})) as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model" / "data").mkdir(parents=True)
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    (tmp_path / "model" / "data" / "weights").write_text("1")
    return tmp_path / "model"


@pytest.fixture
def run(store: RestStore, folder: Path) -> Run:
    run = store.create_run("0", start_time=1)
    store.artifacts(run.artifact_uri).upload(folder / "MLmodel", "model/MLmodel")
    return run


def test_every_command(uri: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    models, name, other = ModelsCommand(uri, capsys), unique("wine"), unique("water")
    address = f"runs:/{run.run_id}/model"
    assert models("register", address, name, "--alias", "candidate") == f"registered {name}/1 as @candidate"
    made = models.document("register", address, name, "--tag", "k=v", "--description", "second")
    assert (made["version"], made["run_id"], made["tags"], made["description"]) == (
        "2", run.run_id, {"k": "v"}, "second",
    )  # fmt: skip
    assert models("alias", f"{name}@candidate", "champion") == f"{name}/1 as @champion"
    assert models("stage", f"{name}/1", "production") == f"{name}/1 is in Production"
    moved = models.document("stage", f"{name}/2", "Production", "--archive-existing")
    assert (moved["version"], moved["stage"]) == ("2", "Production")
    assert models.document("tag", name, "team=red")["tags"] == {"team": "red"}
    assert models.document("untag", f"{name}/2", "k")["tags"] == {}
    assert models.document("describe", name, "of grapes")["description"] == "of grapes"
    listed = models.document("versions", name)["versions"]
    assert [(each["version"], each["stage"], sorted(each["aliases"])) for each in listed] == [
        ("2", "Production", []),
        ("1", "Archived", ["candidate", "champion"]),
    ]
    assert models.document("show", name)["aliases"] == {"candidate": "1", "champion": "1"}
    assert models.document("unalias", f"{name}@candidate")["aliases"] == ["champion"]
    assert models("rename", name, other) == f"renamed {name} to {other}"
    assert [each["name"] for each in models.document("list", "--filter", f"name = '{other}'")["models"]] == [
        other
    ]
    assert "no alias 'champoin'; did you mean 'champion'?" in models("show", f"{other}@champoin", code=2)
    assert f"the model '{other}' has no version '9'" in models("tag", f"{other}/9", "a=b", code=2)
    assert "did you mean" in models("delete", f"{other}x", code=2)
    assert models("delete", f"{other}/1") == f"deleted {other}/1"
    assert models("delete", other, "--with-versions") == f"deleted {other}"


def test_a_folder_becomes_a_logged_model(
    mlflow3_server: str, folder: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, name = ModelsCommand(mlflow3_server, capsys), unique("wine")
    made = models.document("register", folder, name)
    with closing(RestStore(mlflow3_server, {})) as store:
        logged = part_of(store, LoggedModels).get_logged_model(made["source"].removeprefix("models:/"))
        files = store.artifacts(logged.artifact_uri).list("data")
    assert [file.path for file in files] == ["data/weights"]
    assert logged.status == "LOGGED_MODEL_READY"
    versions = json.loads({tag.key: tag.value for tag in logged.tags}["mlflow.modelVersions"])
    assert [(each["name"], str(each["version"])) for each in versions] == [(name, "1")]


def test_a_server_that_keeps_models_in_runs_only_says_so(
    mlflow2_server: str, folder: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, name = ModelsCommand(mlflow2_server, capsys), unique("wine")
    told = models("register", folder, name, code=5)
    assert (
        "servers before MLflow 3 keep models in runs only: log it with a run, and register runs:/RUN/PATH"
        in told
    )
    assert models.document("list", "--filter", f"name = '{name}'")["models"] == []
