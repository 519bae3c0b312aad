"""`projrun runs diff` as a person and as a program read it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.commands import Completed, run_projrun
from tests.support.projects import python_project
from tests.support.questions import ask_projrun
from tests.support.terminals import on_a_terminal


class Pair:
    """Two recorded runs."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"PROJRUN_HOME": str(folder / "home"), "PROJRUN_ENV_MANAGER": "local"}
        project = python_project(folder / "project", "", "{alpha: float, note: {default: x}}")
        self.left, self.right = (
            json.loads(self("run", project, "-P", f"alpha={alpha}", "--json").check().stdout)["run_id"]
            for alpha in (1, 2)
        )

    def __call__(self, *words: str | Path) -> Completed:
        return run_projrun(*words, environ=self.environ)

    def ask(self, *words: str) -> Completed:
        return ask_projrun(*words, environ=self.environ)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.mark.processes
def test_what_differs_is_shown_and_the_rest_counted(pair: Pair) -> None:
    shown = pair("runs", "diff", pair.left[:12], pair.right).check().stdout
    lines = [line.split() for line in shown.splitlines()]
    assert ["parameter", "alpha", "1", "2"] in lines
    assert "note" not in shown
    assert lines[-1][:4] == ["equal:", "8", "facts,", "1"]
    everything = pair.ask("runs", "diff", pair.left, pair.right, "--all").check().stdout
    assert ["parameter", "note", "x", "x", "equal"] in [line.split() for line in everything.splitlines()]


@pytest.mark.processes
def test_the_keys_of_json(pair: Pair) -> None:
    document = json.loads(pair.ask("runs", "diff", pair.left, pair.right, "--json").check().stdout)
    sections = ["facts", "parameters", "metrics", "packages", "tags"]
    assert list(document) == ["left", "right", *sections, "warnings"]
    assert list(document["left"]) == [
        "run_id", "run_name", "experiment_id", "status", "start_time", "end_time",
    ]  # fmt: skip
    assert document["right"]["run_id"] == pair.right
    assert document["parameters"] == [
        {"name": "alpha", "left": "1", "right": "2", "equal": False},
        {"name": "note", "left": "x", "right": "x", "equal": True},
    ]


@pytest.mark.processes
def test_a_run_is_equal_to_itself(pair: Pair) -> None:
    shown = pair.ask("runs", "diff", pair.left, pair.left).check().stdout
    assert len(shown.splitlines()) == 4  # the heads, the start, an empty line, what is equal


@pytest.mark.processes
def test_a_run_that_does_not_exist(pair: Pair) -> None:
    done = pair("runs", "diff", pair.left, "f" * 32)
    assert done.returncode == 2
    assert "has no run" in done.stderr


@pytest.mark.integration
@pytest.mark.parametrize("columns", [100, 60, 20])
def test_a_narrow_terminal_breaks_no_words(pair: Pair, columns: int) -> None:
    shown = on_a_terminal(
        "runs", "diff", pair.left, pair.right, home=Path(pair.environ["PROJRUN_HOME"]), columns=columns
    )
    lines = [line.split() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]
    if columns == 100:
        assert ["parameter", "alpha", "1", "2"] in lines
    else:
        place = lines.index(["parameter", "alpha"])
        assert lines[place + 1 : place + 3] == [["left", "1"], ["right", "2"]]
        assert [lines[0][0], lines[1][0]] == ["left", "right"]
