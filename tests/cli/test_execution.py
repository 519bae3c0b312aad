"""Which command lines ask for JSON: errors are an object on stdout then."""

from __future__ import annotations

import json

import pytest

from projrun.cli.execution import execute


@pytest.mark.parametrize(
    "line",
    [
        "run absent --json",
        "run --json absent",
        "run absent -P a=1 --json",
        "run absent -P --dry-run --json",
        "runs show absent --json",
    ],
)
def test_an_option_asks_for_json(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(line.split()) == 2
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


@pytest.mark.parametrize(
    "line",
    [
        "run -- --json",
        "run absent -e --json",
        "run absent --run-name --json",
        "runs show -- --json",
        "run absent",
    ],
)
def test_a_value_does_not(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(line.split()) in (2, 3)
    assert capsys.readouterr().out == ""
