"""Addresses that lead to no model are answered with what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.execution import execute
from projrun.tracking.entities import Tag
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import run_projrun
from tests.support.program import projrun_server
from tests.support.registered import registered_wine


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """With `wine`, and a run of another model."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    with closing(SqlStore.open(tmp_path / "store.db")) as store:
        registered_wine(store, tmp_path / "model")
        part_of(store, ModelRegistry).set_registered_model_alias("wine", "champion", "1")
        run = store.create_run("0", start_time=2)
        store.log_batch(
            run.run_id, tags=[Tag("mlflow.log-model.history", json.dumps([{"artifact_path": "forest"}]))]
        )
        yield store


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("wine@champion", "folder 'wine@champion' not found; did you mean 'models:/wine@champion'?"),
        ("wine/1", "folder 'wine/1' not found; did you mean 'models:/wine/1'?"),
        ("wine", "folder 'wine' not found; a model is a folder, runs:/RUN/PATH,"),
        (
            "models:/wine",
            "models:/wine names no version; give models:/wine/VERSION or @ALIAS; see `projrun models",
        ),
        (
            "models:/wnie@champion",
            "the registry has no model 'wnie'; did you mean 'wine'? see `projrun models list`",
        ),
        ("models:/wine/9", "the model 'wine' has no version '9'; its versions: 1"),
        ("models:/wine@champoin", "has no alias 'champoin'; did you mean 'champion'? its aliases: champion"),
        ("models:/m-{run}", "Logged model with ID 'm-{run}' not found"),
        ("runs:/{run}/model", "run {run} has no model 'model'; its models: forest"),
        ("runs:/latest", "run {run} is no model: its address has no path; its models: forest"),
    ],
)
def test_what_is_said(
    store: SqlStore, tmp_path: Path, uri: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = store.search_runs(["0"], order_by=["attributes.start_time DESC"]).runs[0].run_id
    words = ("models", "env", "-m", uri.format(run=run), "--tracking-uri", f"sqlite:///{tmp_path}/store.db")
    assert execute(words) in (2, 5)
    told = capsys.readouterr().err
    assert said.format(run=run) in told
    assert told.count("\n") == 1


def test_another_failure_is_not_called_a_missing_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(SqlStore.open(tmp_path / "store.db")) as store:
        run = store.create_run("0", start_time=1)
        (tmp_path / "file").write_text("[")
        store.artifacts(run.artifact_uri).upload(tmp_path / "file", "model/MLmodel")
    address = f"sqlite:///{tmp_path}/store.db"
    assert execute(["models", "env", "-m", "runs:/latest/model", "--tracking-uri", address]) == 2
    told = capsys.readouterr().err
    assert "MLmodel:1:" in told
    assert "has no model" not in told


@pytest.mark.processes
def test_a_cache_that_cannot_be_written_is_not_called_a_missing_model(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    (tmp_path / "cache").write_text("")
    with projrun_server(tmp_path / "home") as program:
        with closing(SqlStore.open(tmp_path / "home" / "projrun.db")) as store:
            run = registered_wine(store, tmp_path / "model")
        words = ("-m", f"runs:/{run.run_id}/model", "--tracking-uri", program.uri)
        done = run_projrun("models", "env", *words, environ={"PROJRUN_CACHE_DIR": str(tmp_path / "cache")})
    assert "has no model" not in done.stderr
    assert str(tmp_path / "cache") in done.stderr


def test_a_run_without_models_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(SqlStore.open(tmp_path / "store.db")) as store:
        run = store.create_run("0", start_time=1)
    address = f"sqlite:///{tmp_path}/store.db"
    assert execute(["models", "env", "-m", "runs:/latest/model", "--tracking-uri", address]) == 2
    assert f"run {run.run_id} has no model 'model'; it logged none; see" in capsys.readouterr().err
