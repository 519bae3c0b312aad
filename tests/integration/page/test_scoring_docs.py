"""The page of a scoring server, with names that would be HTML."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser

from tests.support.browser import Screen
from tests.support.rest import Api
from tests.support.scoring import Scoring, scoring_server

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]

HOSTILE = "</textarea><script>alert(1)</script>\"><img src=x onerror='alert(2)'>"


@pytest.fixture
def scoring(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> Iterator[Scoring]:
    """Of a model that answers with what it was given."""
    model = Path(shutil.copytree(scoring_models / "every", tmp_path / "model"))
    written = yaml.safe_load((model / "MLmodel").read_text())
    columns = [
        {"type": "double", "name": "alcohol", "required": True},
        {"type": "string", "name": HOSTILE, "required": False},
        {"type": "array", "items": {"type": "long"}, "name": "counts", "required": True},
    ]
    written["signature"] |= {"inputs": json.dumps(columns), "outputs": json.dumps(columns[:2])}
    (model / "MLmodel").write_text(yaml.safe_dump(written))
    with scoring_server(mlflow3_python, model, tmp_path / "log") as scoring:
        yield scoring


@pytest.fixture
def screen(browser: Browser, scoring: Scoring) -> Iterator[Screen]:
    """A page of the scoring server; it fails the test by what it complains of."""
    context = browser.new_context(reduced_motion="reduce")
    screen = Screen(context.new_page(), Api(f"http://127.0.0.1:{scoring.port}"))
    try:
        yield screen
    finally:
        context.close()
    assert screen.problems == []


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_a_request_is_tried(screen: Screen, path: str) -> None:
    screen.show(path)
    screen.expect("td >> nth=3").to_have_text(HOSTILE)
    sample = {"dataframe_records": [{"alcohol": 0.0, HOSTILE: "", "counts": [0]}]}
    screen.expect("textarea").not_to_have_value("")
    assert json.loads(screen.page.locator("textarea").input_value()) == sample
    screen.page.get_by_role("button", name="Send").click()
    screen.expect(".status").to_contain_text("200 in")
    screen.expect(".answer").to_contain_text("predictions")
    assert HOSTILE in json.loads(screen.page.locator(".answer").inner_text())["predictions"]["told"]["types"]
    screen.page.locator("textarea").fill("it's {")
    screen.page.get_by_text("As a command").click()
    screen.expect(".curl").to_contain_text(f"curl {screen.api.uri}/invocations -H")
    screen.expect(".curl").to_contain_text("-d 'it'\\''s {'")


def test_a_refused_request_says_why(screen: Screen) -> None:
    screen.show("/docs")
    screen.page.locator("textarea").fill("{")
    screen.page.get_by_role("button", name="Send").click()
    screen.expect(".status.failed").to_contain_text("400 in")
    screen.expect(".answer").to_contain_text("valid JSON formatted string")
    screen.problems = [each for each in screen.problems if "status of 400" not in each]


def test_all_can_read_it(screen: Screen) -> None:
    screen.pictures(("scoring-docs", "/docs", "section"))
