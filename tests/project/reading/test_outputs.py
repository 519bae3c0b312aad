from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.entry_points import find_entry_point
from projrun.project.loader import load_project
from projrun.project.model import OutputArtifact, Outputs
from tests.support.projects import write_project


def outputs(folder: Path, declared: str) -> Outputs | None:
    """The outputs of an entry point that declares them so, in YAML flow; from the cache, too."""
    write_project(folder, f"entry_points:\n  main:\n    command: run\n    outputs: {declared}\n")
    project = load_project(folder, folder / "cache")
    found = find_entry_point(project, "main").outputs
    assert find_entry_point(load_project(folder, folder / "cache"), "main").outputs == found
    return found


def test_patterns_files_and_artifacts(tmp_path: Path) -> None:
    metrics = r"['rmse: (?P<rmse>\S+)', 'step (?P<step>\d+) (?P<loss>\S+)', metrics.json, out/h.csv, a.jsonl]"
    found = outputs(
        tmp_path, f"{{metrics: {metrics}, artifacts: [./model/, ratings: out/r.csv, '**/*.png']}}"
    )
    assert found == Outputs(
        (r"rmse: (?P<rmse>\S+)", r"step (?P<step>\d+) (?P<loss>\S+)"),
        ("metrics.json", "out/h.csv", "a.jsonl"),
        (
            OutputArtifact("./model/", "model"),
            OutputArtifact("ratings", "out/r.csv"),
            OutputArtifact("**/*.png", "**/*.png"),
        ),
    )


def test_one_item_needs_no_list_and_none_is_none(tmp_path: Path) -> None:
    assert outputs(tmp_path, "{metrics: m.json, artifacts: model}") == Outputs(
        (), ("m.json",), (OutputArtifact("model", "model"),)
    )
    assert outputs(tmp_path, "{}") == Outputs()
    assert outputs(tmp_path, "") is None


@pytest.mark.parametrize(
    ("declared", "column", "problem"),
    [
        ("{metrics: ['rmse: (?P<rmse>']}", 25, "not a regular expression"),
        (r"{metrics: ['rmse: (\S+)']}", 25, "no named group"),
        (r"{metrics: ['(?P<step>\d+)']}", 25, "no named group"),
        ("{metrics: [[a]]}", 25, "a metrics item must be"),
        ("{metrics: {a: b}}", 24, "metrics must be a list"),
        ("{metrics: [../m.json]}", 25, "'../m.json' leaves the project"),
        ("{metrics: [/m.json]}", 25, "'/m.json' leaves the project"),
        ("{artifacts: [a/../../b]}", 27, "leaves the project"),
        ("{artifacts: [~/b]}", 27, "leaves the project"),
        ("{artifacts: [.]}", 27, "is not a path"),
        ("{artifacts: ['a**']}", 27, "must be a whole part"),
        ("{artifacts: [a b: c]}", 27, "'a b' is not a name"),
        ("{artifacts: [a: [c]]}", 30, "must be a path"),
        ("{artifacts: [a, a]}", 5, "two artifacts are named 'a'"),
        ("[metrics]", 14, "outputs must be a mapping"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, declared: str, column: int, problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        outputs(tmp_path, declared)
    assert caught.value.message.startswith(f"MLproject:4:{column}: ")
    assert problem in caught.value.message
    assert caught.value.exit_code == 2


def test_too_many(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has 101 items"):
        outputs(tmp_path, f"{{artifacts: [{', '.join(f'a{number}' for number in range(101))}]}}")
