"""`projrun models`, in the embedded store and on a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import ModelOutput, Run
from projrun.tracking.inputs import Inputs
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(tmp_path / "store.db")) as store:
        yield store


@pytest.fixture
def run(store: SqlStore, tmp_path: Path) -> Run:
    """A run with a folder `model`."""
    run = store.create_run("0", start_time=1)
    file = tmp_path / "MLmodel"
    file.write_text("flavors: {}")
    store.artifacts(run.artifact_uri).upload(file, "model/MLmodel")
    return run


@pytest.fixture(params=["sql", "rest"])
def uri(request: pytest.FixtureRequest, store: SqlStore, tmp_path: Path) -> Iterator[str]:
    if request.param == "sql":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    with Endpoint.open(lambda: SqlStore.open(tmp_path / "store.db")) as endpoint:
        yield endpoint.uri


class Command:
    """`projrun models` against one store, in this process."""

    def __init__(self, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._uri = uri
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        """What it printed; what it reported where another code than 0 is expected."""
        self._capsys.readouterr()
        done = execute(["models", *words, "--tracking-uri", self._uri])
        out, err = self._capsys.readouterr()
        assert done == code, err
        return out.strip() if code == 0 else err

    def document(self, *words: str) -> Any:
        """The JSON that it printed."""
        return json.loads(self(*words, "--json"))


@pytest.fixture
def models(
    uri: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    return Command(uri, capsys)


def test_model_from_registration_to_deletion(models: Command, run: Run) -> None:
    prefix = run.run_id[:8]
    assert models("register", f"runs:/{prefix}/model", "wine", "--alias", "candidate") == (
        "registered wine/1 as @candidate"
    )
    made = models.document("register", "runs:/latest/model", "wine", "--tag", "k=v=w", "--description", "d")
    assert (made["version"], made["run_id"], made["tags"], made["description"]) == (
        "2", run.run_id, {"k": "v=w"}, "d",
    )  # fmt: skip
    assert models("alias", "wine@candidate", "champion", "fallback") == "wine/1 as @champion, @fallback"
    assert models("unalias", "wine@fallback") == "removed wine@fallback"
    assert models("stage", "wine/latest", "production") == "wine/2 is in Production"
    assert models.document("show", "models:/wine/Production")["version"] == "2"
    assert models("tag", "wine", "team=red") == "tagged wine"
    models("tag", "wine/1", "a=1", "b=2")
    models("untag", "wine@champion", "a")
    models("update", "wine", "--description", "of grapes")
    models("update", "wine/1", "--description", "the first")
    document = models.document("show", "wine")
    assert document["aliases"] == {"candidate": "1", "champion": "1"}
    assert (document["tags"], document["description"]) == ({"team": "red"}, "of grapes")
    assert [(each["version"], each["stage"], each["tags"]) for each in document["versions"]] == [
        ("2", "Production", {"k": "v=w"}),
        ("1", "None", {"b": "2"}),
    ]
    assert models.document("show", "wine/1")["description"] == "the first"
    assert models("rename", "wine", "water") == "renamed wine to water"
    assert models("delete", "water/2") == "deleted water/2"
    assert "has versions" in models("delete", "water", code=2)
    assert models("delete", "water", "--with-versions") == "deleted water"
    assert models.document("list") == {"models": [], "next_page_token": None}


def test_lists(models: Command, store: SqlStore) -> None:
    registry = part_of(store, ModelRegistry)
    for name in ("a", "b", "c"):
        registry.create_registered_model(name, description=f"model {name}")
    for _ in range(2):
        registry.create_model_version("b", source="s3://bucket/b")
    registry.set_registered_model_alias("b", "best", "1")
    lines = models("list").splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "a", "b", "c"]
    assert lines[2].split()[1:3] == ["2", "best=1"]
    assert [each["name"] for each in models.document("list", "--filter", "name != 'b'")["models"]] == [
        "a",
        "c",
    ]
    assert [
        each["name"] for each in models.document("list", "--order-by", "name DESC", "-n", "1")["models"]
    ] == ["c"]
    listed = models.document("list", "--versions", "--filter", "name = 'b'")["versions"]
    assert [(each["name"], each["version"]) for each in listed] == [("b", "2"), ("b", "1")]
    shown = models("show", "b").splitlines()
    assert shown[0].split() == ["model", "b"]
    assert [line.split()[0] for line in shown[-2:]] == ["2", "1"]
    assert models("show", "b/1").splitlines()[0].split() == ["version", "b/1"]


def test_what_is_registered(models: Command, store: SqlStore, run: Run) -> None:
    logged = part_of(store, LoggedModels)
    model = logged.create_logged_model("0", name="forest", source_run_id=run.run_id)
    part_of(store, Inputs).log_outputs(run.run_id, [ModelOutput(model.model_id)])
    source = f"models:/{model.model_id}"
    for given in (f"runs:/{run.run_id}/forest", source):
        made = models.document("register", given, "wine", "--tag", "from=here")
        assert (made["source"], made["model_id"], made["run_id"]) == (source, model.model_id, run.run_id)
    copied = models.document("register", "models:/wine/2", "copy")
    assert (copied["source"], copied["tags"]) == ("models:/wine/2", {"from": "here"})
    assert models.document("register", "s3://bucket/m", "wine")["source"] == "s3://bucket/m"


def test_mistakes(models: Command, run: Run) -> None:
    assert "has no artifact folder 'nothing'" in models("register", "runs:/latest/nothing", "wine", code=2)
    assert "has no run 'none'" in models("register", "runs:/none/model", "wine", code=2)
    models("register", "models:/m-none", "wine", code=2)
    assert models.document("list")["models"] == []
    models("register", "runs:/latest/model", "wine")
    assert "names no version" in models("alias", "wine", "best", code=2)
    assert "names no alias" in models("unalias", "wine", code=2)
    assert "names no model" in models("show", "wine@", code=2)
    assert "names no model" in models("show", "wine/1/2", code=2)
    assert "is not a tag" in models("tag", "wine", "team", code=2)
    assert "has no version in 'Staging'" in models("show", "wine/Staging", code=2)
    assert "not found" in models("show", "none", code=2)
    assert "not found" in models("unalias", "wine@none", code=2)
    assert "already exists" in models(
        "rename", "wine", models("register", "s3://b/m", "other") and "other", code=2
    )


def test_registry_of_mlflows_variable(
    models: Command, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path / 'registry.db'}")
    models("register", "runs:/latest/model", "wine")
    assert [each["name"] for each in models.document("list")["models"]] == ["wine"]
    monkeypatch.delenv("MLFLOW_REGISTRY_URI")
    assert models.document("list")["models"] == []
