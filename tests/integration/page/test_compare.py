"""The view that compares runs, in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.page.test_run import PIXEL
from tests.support.browser import Screen
from tests.support.rest import Api

HOSTILE = "=<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def runs(api: Api) -> list[str]:
    """Four runs that differ in two params."""
    experiment = api.experiment("several runs")
    found = []
    for number, (alpha, optimizer) in enumerate(
        [("0.1", "adam"), ("0.1", "sgd"), ("0.5", "adam"), ("0.5", "sgd")]
    ):
        losses: list[float | str] = [float(alpha) + number + 1 / (step + 1) for step in range(100)]
        run = api.run(
            experiment,
            HOSTILE if number == 3 else f"run {number}",
            params={"alpha": alpha, "optimizer": optimizer, "seed": "1"},
            metrics={"loss": losses, "accuracy": [number / 10]},
        )
        place = f"{experiment}/{run}/artifacts"
        api.put(f"{place}/conf.yaml", f"alpha: {alpha}\nsame: 1\n".encode())
        for step in (0, 10):
            api.put(f"{place}/images/sample_{step}.png", PIXEL)
        found.append(run)
    return found


def _path(runs: list[str], query: str = "") -> str:
    return f"/compare?runs={','.join(runs)}{query}"


def test_differences_are_shown_and_saved(screen: Screen, runs: list[str], tmp_path: Path) -> None:
    page = screen.show(_path(runs)).page
    table = page.locator(".values")
    expect(table).to_contain_text("optimizer")
    expect(table).not_to_contain_text("seed")
    expect(table.locator("tr", has_text="alpha").locator(".odd")).to_have_count(2)
    expect(table.locator("tr", has_text="accuracy").locator(".end[title=greatest]")).to_have_count(1)
    page.get_by_role("button", name="Only differences").click()
    expect(table).to_contain_text("seed")
    page.wait_for_url(re.compile("all=1"))
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "runs.csv")
    lines = (tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("run_id,run,alpha,optimizer,seed,accuracy,loss,")
    assert lines[4].startswith(f"{runs[3]},'{HOSTILE},0.5,sgd,1,0.3,")  # no formula


def test_all_runs_of_an_experiment_are_asked_for_at_once(screen: Screen, runs: list[str], api: Api) -> None:
    asked: list[str] = []
    screen.page.on(
        "request", lambda request: asked.append(urlsplit(request.url).path.rpartition("mlflow/")[2])
    )
    other = api.run(api.experiment("another one"), "elsewhere", params={"alpha": "7"})
    gone = "0" * 32
    screen.show(_path([runs[2], other, gone, *runs[:2]]))
    screen.text("Compare 4 runs")
    screen.text("1 run not found")
    screen.expect(".legend li").to_have_text(["run 2", "elsewhere", "run 0", "run 1"])
    assert sorted(each for each in asked if each.startswith("runs/")) == [
        "runs/get", "runs/get", "runs/get", "runs/search", "runs/search"
    ]  # fmt: skip
    screen.problems = [each for each in screen.problems if "404" not in each]


def test_curves_of_chosen_runs_and_their_files(screen: Screen, runs: list[str], tmp_path: Path) -> None:
    page = screen.show(_path(runs, "&tab=curves")).page
    chart = page.locator("figure[aria-label=loss]")
    chart.locator("summary").click()
    expect(chart.locator("tbody tr")).to_have_count(4)
    page.get_by_role("button", name="Hide run 0").click()
    expect(chart.locator("tbody tr")).to_have_count(3)
    page.wait_for_url(re.compile(f"hide={runs[0]}"))
    page.locator(".legend").get_by_text("run 1").click()
    expect(chart.locator("tbody tr")).to_have_count(2)
    page.wait_for_url(re.compile(f"hide={runs[0]},{runs[1]}"))
    page.locator(".legend").get_by_text("run 1").click()
    expect(chart.locator("tbody tr")).to_have_count(3)
    starts = {"PNG": b"\x89PNG", "SVG": b"<svg ", "CSV": b"run_id,run,metric,step,value"}
    for kind, start in starts.items():
        page.get_by_role("button", name="Save loss").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=f"Save as {kind}").click()
        assert download.value.suggested_filename == f"loss.{kind.lower()}"
        download.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(start)
    assert b"<img" not in (tmp_path / "SVG").read_bytes()


def test_a_chart_of_the_address_is_asked_for_once_and_beside_its_runs(
    screen: Screen, runs: list[str]
) -> None:
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(urlsplit(request.url).path.rpartition("/")[2]))
    page = screen.show(_path(runs, f"&tab=curves&chart=loss&hide={runs[1]}&x=wall")).page
    expect(page.get_by_role("img", name=re.compile(": 3 curves;"))).to_be_visible()
    assert asked.count("curves") == 1
    assert asked.index("curves") < asked.index("search")
    page.get_by_role("link", name="Open run 0").click()
    page.wait_for_url(re.compile(f"/runs/{runs[0]}$"))


def test_cursors_go_together(screen: Screen, runs: list[str]) -> None:
    page = screen.show(_path(runs, "&tab=curves")).page
    page.locator("figure[aria-label=accuracy] .u-over").wait_for()
    page.locator("figure[aria-label=loss] .u-over").hover()
    expect(page.locator("figure[aria-label=loss] .chart-tip")).to_contain_text("run 1")
    # The other chart has one step, 0, so the same step is not in it.
    page.locator("figure[aria-label=accuracy] .u-over").hover()
    expect(page.locator("figure[aria-label=loss] .chart-tip")).to_have_count(0)
    expect(page.locator("figure[aria-label=loss] .u-cursor-x")).to_be_attached()


def test_relations_are_chosen_and_brushed(screen: Screen, runs: list[str]) -> None:
    page = screen.show(_path(runs, "&tab=scatter")).page
    expect(page.locator(".dot")).to_have_count(4)
    page.get_by_label("y", exact=True).select_option("metric.loss")
    page.wait_for_url(re.compile("sy=metric.loss"))
    expect(page.locator("figure.chart")).to_contain_text("loss by alpha")
    screen.show(_path(runs, "&tab=box&bv=metric.accuracy&bg=param.optimizer"))
    expect(page.locator("g.box")).to_have_count(2)
    screen.show(_path(runs, "&tab=parallel"))
    expect(page.locator(".thread")).to_have_count(4)
    screen.text("4 of 4 runs")
    axis = page.get_by_role("slider", name="Limit alpha").bounding_box()
    assert axis
    middle = axis["x"] + axis["width"] / 2
    page.mouse.move(middle, axis["y"] + 5)
    page.mouse.down()
    page.mouse.move(middle, axis["y"] + axis["height"] / 2, steps=3)
    page.mouse.up()
    screen.text("2 of 4 runs")
    page.wait_for_url(re.compile("brush="))
    page.reload()
    screen.text("2 of 4 runs")
    page.get_by_role("slider", name="Limit alpha").press("Escape")
    screen.text("4 of 4 runs")


def test_images_by_step_and_differences_of_files(screen: Screen, runs: list[str]) -> None:
    page = screen.show(_path(runs, "&tab=images")).page
    expect(page.locator(".images img")).to_have_count(4)
    screen.text("step 10")
    page.get_by_label("Step").fill("0")
    screen.text("step 0")
    page.wait_for_url(re.compile("step=0"))
    screen.show(_path(runs, f"&tab=files&left={runs[0]}&right={runs[2]}"))
    expect(page.locator("tr.diff-removed")).to_contain_text("alpha: 0.1")
    expect(page.locator("tr.diff-added")).to_contain_text("alpha: 0.5")


def test_more_runs_than_an_address_takes_are_compared_in_this_tab(
    screen: Screen, browser: Browser, api: Api
) -> None:
    """An address that servers and proxies refuse would be lost with a reload."""
    experiment = api.experiment("many compared")
    for number in range(110):
        api.run(experiment, f"run {number}")
    page = screen.show(f"/experiments/{experiment}").page
    page.get_by_label("Select all").click()
    screen.text("110 runs selected")
    page.get_by_role("button", name="Compare").click()
    screen.text("Compare 110 runs")
    screen.text("in this tab only: too many for the address")
    page.get_by_role("button", name="Remove run 0", exact=True).click()
    screen.text("Compare 109 runs")
    page.get_by_role("button", name="Hide all but one").click()
    screen.expect(".legend .off").to_have_count(108)
    page.reload()
    screen.expect(".legend .off").to_have_count(108)
    assert len(page.url) < 200
    context = browser.new_context()
    other = Screen(context.new_page(), api)
    other.page.goto(page.url)
    other.text("These runs are known in another tab only")
    assert other.problems == []
    context.close()


def test_comparisons_of_mlflows_page_lead_here(screen: Screen, runs: list[str]) -> None:
    query = urlencode({"runs": json.dumps(runs[:2]), "experiments": '["1"]'})
    screen.show(f"/#/compare-runs?{query}").text("Compare 2 runs")
    screen.page.reload()
    screen.text("Compare 2 runs")


def test_a_comparison_without_runs_says_what_to_do(screen: Screen) -> None:
    screen.show("/compare").text("projrun runs list")


def test_pictures(screen: Screen, runs: list[str]) -> None:
    ready = {
        "values": ".values td",
        "curves": "figure[aria-label=loss] canvas",
        "scatter": ".dot",
        "parallel": ".thread",
        "box": "g.box",
        "images": ".images img",
        "files": ".diff-removed",
    }
    pair = f"&left={runs[0]}&right={runs[2]}"
    screen.pictures(
        *((f"compare-{tab}", _path(runs, f"&tab={tab}{pair}"), shown) for tab, shown in ready.items())
    )
