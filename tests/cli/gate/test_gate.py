"""`projrun gate` as CI uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    with closing(SqlStore.open(new_store(tmp_path / "home" / "projrun.db"))) as store:
        yield store


class Gate:
    """The command, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.error = ""

    def __call__(self, *words: str) -> tuple[int, str]:
        """The exit code, and what it printed."""
        self._capsys.readouterr()
        code = execute(["gate", *words])
        out, self.error = self._capsys.readouterr()
        return code, out

    def document(self, *words: str) -> Any:
        return json.loads(self(*words, "--json")[1])


@pytest.fixture
def gate(store: SqlStore, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Three runs: the best one, one with a tag, and the last one."""
    for start, (name, rmse) in enumerate((("best", 0.5), ("tagged", 0.7), ("last", 0.6)), 1):
        run = store.create_run("0", run_name=name, start_time=start)
        tags = [Tag("release", "prod|x")] if name == "tagged" else []
        points = [Metric("rmse", rmse, start), Metric("diverged", float("nan"), start)]
        store.log_batch(
            run.run_id, metrics=points, tags=tags, params=[Param("depth", "3"), Param("kind", "x")]
        )
        store.update_run(run.run_id, status="FINISHED", end_time=start)
    return Gate(capsys)


WORSE = "metrics.rmse > baseline * 1.02"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--fail-if", "metrics.rmse > 0.8"], 0),
        (["--fail-if", "metrics.rmse > 0.5"], 6),
        (["--baseline", "best", "--fail-if", WORSE], 6),
        (["--baseline", "tag:release=prod|x", "--fail-if", WORSE], 0),
        (["--baseline", "tag:release", "--fail-if", WORSE], 0),
        (["--baseline", "-3", "--fail-if", WORSE], 6),
        (["--baseline", "tagged", "--fail-if", WORSE, "--fail-if", "params.depth > 2"], 6),
        (["--fail-if", "metrics.diverged > 1"], 6),
    ],
)
def test_passing_and_failing(gate: Gate, words: list[str], code: int) -> None:
    assert gate("latest", *words)[0] == code, gate.error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-if", WORSE], "none is given; add --baseline"),
        (["--fail-if", "metrics.rmsee > 1"], "has no metric 'rmsee'; did you mean 'rmse'?"),
        (["--fail-if", "params.kind > 1"], "has no parameter with a number 'kind'"),
        (
            ["--baseline", "tag:release=x", "--fail-if", WORSE],
            "no other finished run of the experiment has that tag",
        ),
        (
            ["--baseline", "best", "--fail-if", "metrics.rmse == baseline"],
            "no rule says whether small or large",
        ),
        (["--fail-if", "x"], "cannot be read"),
        ([], "--fail-if"),
    ],
)
def test_mistakes_are_no_failed_gate(gate: Gate, words: list[str], said: str) -> None:
    assert gate("latest", *words) == (2, "")
    assert said in gate.error


def test_what_is_shown(gate: Gate) -> None:
    _, out = gate("last", "--baseline", "best", "--fail-if", WORSE)
    assert [line.split("\t") for line in out.splitlines() if "\t" in line] == [
        ["VALUE", "RUN", "BASELINE", "DIFFERENCE"],
        ["metrics.rmse", "0.6", "0.5", repr(0.6 - 0.5)],
        ["STATUS", "FAIL IF", "REASON"],
        ["FAILED", WORSE, ""],
    ]
    assert out.splitlines()[-1].startswith("gate FAILED: run last (")


def test_the_keys_of_json(gate: Gate) -> None:
    document = gate.document(
        "last", "--baseline", "best", "--fail-if", WORSE, "--fail-if", "metrics.diverged > 1"
    )
    assert list(document) == ["passed", "run_id", "baseline_run_id", "rules", "values"]
    assert document["rules"] == [
        {"fail_if": WORSE, "failed": True, "reason": ""},
        {"fail_if": "metrics.diverged > 1", "failed": True, "reason": "a value is NaN"},
    ]
    assert document["values"][0] == {
        "name": "metrics.rmse",
        "run": 0.6,
        "baseline": 0.5,
        "difference": 0.6 - 0.5,
    }


def test_the_summary_of_a_job(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    gate("last", "--baseline", "best", "--fail-if", WORSE)
    lines = summary.read_text(encoding="utf-8").splitlines()
    assert lines[:5] == [
        "before",
        "",
        "| VALUE | RUN | BASELINE | DIFFERENCE |",
        "| --- | --- | --- | --- |",
        "| metrics.rmse | 0.6 | 0.5 | 0.1 |",
    ]
    assert "| FAILED | metrics.rmse &#62; baseline &#42; 1.02 |  |" in lines
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "missing" / "summary.md"))
    assert gate("last", "--baseline", "best", "--fail-if", WORSE)[0] == 6
    assert "GITHUB_STEP_SUMMARY cannot be written" in gate.error


def test_a_difference_as_markdown(gate: Gate, store: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.set_tag(store.search_runs(["0"]).runs[0].run_id, Tag("note", "<img src=x> [a](b) | `c`\n@team"))
    assert execute(["runs", "diff", "best", "last", "--format", "md"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "| --- | --- | --- | --- |"
    assert "| metric rmse | 0.5 | 0.6 | &#43;0.1 |" in lines
    assert all(line.startswith("| ") and line.count("|") == 5 for line in lines)
    assert not any(character in "".join(lines) for character in "<>[]`@")
    assert execute(["runs", "diff", "best", "last", "--format", "json"]) == 0
    assert list(json.loads(capsys.readouterr().out))[:2] == ["left", "right"]
