"""Tab in real shells: what the project, the store and the folder have is offered, and paths still are."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore
from tests.support.completing import fish_offers, shell
from tests.support.projects import write_project

pytestmark = pytest.mark.processes

MLPROJECT = """
name: wine
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      solver: {type: string, default: lbfgs, choices: [lbfgs, sgd]}
      data: path
    command: "true"
  evaluate: {command: "true"}
"""
LINES = {
    "projrun doct": "doctor",
    "projrun run . -e ev": "evaluate",
    "projrun run . -P alp": "alpha=",
    "projrun run . -e main -P solver=s": "solver=sgd",
    "projrun run . -P data=input/wi": "data=input/wine.csv",
    "projrun run . --env-manager=virt": "--env-manager=virtualenv",
    "projrun run inp": "input/",
    "projrun run . --params-file input/wi": "input/wine.csv",
    "projrun experiments show Def": "Default",
    "projrun models serve -m models:/re": "models:/red",
    "projrun models serve -m models:/red@": "models:/red@champion",
    "projrun models show red@c": "red@champion",
}
"""What is typed, and the last word of what the shell makes of it."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, beside a store with a model."""
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    with closing(SqlStore.open(tmp_path / "home" / "projrun.db")) as store:
        registry = part_of(store, ModelRegistry)
        registry.create_registered_model("red")
        registry.create_model_version("red", source="file:///model")
        registry.set_registered_model_alias("red", "champion", "1")
    folder = write_project(tmp_path / "project", MLPROJECT)
    (folder / "input").mkdir()
    (folder / "input" / "wine.csv").touch()
    return folder


def run_of(project: Path) -> str:
    """A run with an artifact."""
    with closing(SqlStore.open(project.parent / "home" / "projrun.db")) as store:
        run = store.create_run("0", run_name="trained", start_time=1)
        (store.artifact_directory(run.artifact_uri) / "plot.png").touch()
    return run.run_id


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_the_line_after_tab(name: str, project: Path) -> None:
    run_id = run_of(project)
    with shell(name, project) as started:
        made = {line: started.line(line).split()[-1].removesuffix("/") for line in LINES}
        assert made == {line: word.removesuffix("/") for line, word in LINES.items()}
        assert started.line(f"projrun runs show {run_id[:8]}") == f"projrun runs show {run_id}"
        assert started.line(f"projrun artifacts delete {run_id} pl").endswith(" plot.png")


def test_what_fish_offers(project: Path) -> None:
    run_id = run_of(project)
    assert {line: fish_offers(line, project) for line in LINES} == {
        line: [word] for line, word in LINES.items()
    }
    assert fish_offers("projrun run . -P ", project) == ["alpha=", "data=", "solver="]
    assert fish_offers("projrun run . -P alpha=1 -P ", project) == ["data=", "solver="]
    assert fish_offers(f"projrun runs show {run_id[:8]}", project) == [run_id]
    assert fish_offers("projrun runs restore ", project) == []


def test_no_store_is_made_by_tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    assert fish_offers("projrun runs show ", tmp_path) == ["latest"]
    assert fish_offers("projrun run nowhere -P ", tmp_path) == []
    assert not (tmp_path / "home").exists()
