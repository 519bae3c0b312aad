"""The table of an experiment's runs in a browser."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.browser import Screen
from tests.support.program import projrun_server
from tests.support.rest import Api

HOSTILE = "<img src=x onerror=alert(1)>"
NAMES = ".grid-body .run-name a"


@pytest.fixture(scope="module")
def wine(api: Api) -> str:
    return five_runs(api, "wine")


def five_runs(api: Api, name: str) -> str:
    """A new experiment of five runs, two of them children of a third."""
    experiment = api.experiment(name, **{"mlflow.note.content": "Elastic nets"})
    start = 1_700_000_000_000
    parent = api.run(experiment, "sweep", params={"alpha": "0.1", "same": "s"}, start=start)
    made = [("one", "0.1", 0.9), ("two", "0.5", 0.5), ("three", "0.5", 0.7), (HOSTILE, "0.1", 0.8)]
    for place, (name, alpha, rmse) in enumerate(made):
        api.run(
            experiment, name, params={"alpha": alpha, "same": "s"}, metrics={"rmse": [1.5, rmse - 0.1, rmse]},
            tags={"mlflow.parentRunId": parent} if place < 2 else {"team": "<b>x</b>"},
            status="FAILED" if name == "three" else "FINISHED", start=start + 1000 * (place + 1),
        )  # fmt: skip
    return experiment


@pytest.fixture
def runs(screen: Screen, wine: str) -> Iterator[Screen]:
    """The table, once it has its cells, and its place below the description."""
    screen.show(f"/experiments/{wine}").text("Elastic nets")
    screen.expect(NAMES).to_have_count(5)
    yield screen


def query(screen: Screen) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(screen.page.url).query).items()}


def test_children_are_under_their_parents_and_folded_away(runs: Screen) -> None:
    runs.expect(NAMES).to_have_text([HOSTILE, "three", "sweep", "two", "one"])
    assert runs.page.locator("main img").count() == 0
    runs.page.get_by_role("button", name="Hide 2 children").click()
    runs.expect(NAMES).to_have_count(3)
    runs.page.reload()
    runs.expect(NAMES).to_have_count(3)


def test_the_best_run_is_one_click_away(runs: Screen) -> None:
    runs.page.get_by_role("button", name="rmse", exact=True).click()
    runs.expect(NAMES).to_have_text(["two", "three", HOSTILE, "one", "sweep"])
    assert query(runs)["order"] == "m.rmse"
    runs.expect("[role=columnheader][aria-sort=ascending]").to_contain_text("rmse")
    runs.page.get_by_role("button", name="rmse", exact=True).click()
    runs.expect(NAMES).to_have_text(["one", HOSTILE, "three", "two", "sweep"])


def test_a_metric_may_show_its_best_value_or_its_curve(runs: Screen) -> None:
    runs.page.get_by_role("columnheader", name="rmse").hover()
    runs.page.get_by_role("button", name="Column rmse").click()
    runs.page.get_by_role("menuitem", name="Best: smallest value").click()
    runs.text("0.4")
    assert "min.rmse" in query(runs)["columns"]
    runs.page.get_by_role("columnheader", name="rmse").hover()
    runs.page.get_by_role("button", name="Column rmse").click()
    runs.page.get_by_role("menuitem", name="Curve").click()
    runs.expect(".spark").to_have_count(4)


def test_a_filter_is_completed_and_finds(runs: Screen) -> None:
    runs.press("/")
    runs.page.keyboard.type("params.al")
    runs.expect("[role=option]").to_have_text(["params.alpha"])
    runs.press("ArrowDown", "Enter")
    runs.expect("[role=option]").to_have_text(["=", "!=", "LIKE", "ILIKE", "IN"])
    runs.page.keyboard.type("= '0.5'")
    runs.press("Enter")
    runs.expect(NAMES).to_have_text(["three", "two"])
    assert query(runs)["filter"] == "params.alpha = '0.5'"
    runs.page.get_by_role("button", name="Remove the filter").click()
    runs.expect(NAMES).to_have_count(5)


def test_a_plain_word_finds_names(runs: Screen) -> None:
    runs.press("/")
    runs.page.keyboard.type("hre")
    runs.press("Enter")
    runs.expect(NAMES).to_have_text(["three"])


def test_a_mistake_in_a_filter_is_marked_where_it_is(runs: Screen) -> None:
    columns = runs.page.get_by_role("button", name="Columns")
    place = columns.bounding_box()
    runs.press("/")
    runs.page.keyboard.type("metrics.rmse < 'a' AND")
    runs.press("Enter")
    runs.expect(".mistake").to_be_visible()
    assert columns.bounding_box() == place
    runs.expect(NAMES).to_have_count(5)  # what was there stays
    runs.problems = [each for each in runs.problems if "400" not in each]


def test_columns_are_chosen_pinned_moved_and_remembered(runs: Screen, wine: str) -> None:
    runs.page.get_by_role("button", name="Columns").click()
    dialog = runs.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Hide same").click()
    dialog.get_by_role("button", name="Pin rmse").click()
    dialog.get_by_label("Search columns").fill("team")
    dialog.get_by_role("checkbox").first.check()
    runs.press("Escape")
    shown = ["", "Run", "rmse", "Started", "Duration", "alpha", "team"]
    runs.expect("[role=columnheader]").to_have_count(len(shown))
    runs.expect("[role=columnheader]").to_contain_text(shown)
    runs.expect(".grid-head .grid-pins").to_contain_text("rmse")
    runs.text("<b>x</b>")
    runs.show(f"/experiments/{wine}").text("team")
    runs.expect(".grid-head .grid-pins").to_contain_text("rmse")


def test_pinned_columns_stay_where_the_table_goes_aside(runs: Screen) -> None:
    runs.page.set_viewport_size({"width": 500, "height": 700})
    pins = runs.page.locator(".grid-body .grid-pins").first
    place = pins.bounding_box()
    assert place
    for pixels in (80, -80):  # there and back
        runs.page.evaluate("pixels => document.querySelector('.grid').scrollBy(pixels, 0)", pixels)
        runs.expect(".grid.aside").to_have_count(1 if pixels > 0 else 0)
        assert pins.bounding_box() == place


def test_a_column_is_made_wider_by_its_edge_and_by_keys(runs: Screen, wine: str) -> None:
    head = runs.page.get_by_role("columnheader", name="rmse")
    edge = head.get_by_role("separator", name="Width of rmse")
    width = int(edge.get_attribute("aria-valuenow") or 0)
    box = edge.bounding_box()
    assert box
    runs.page.mouse.move(box["x"] + 4, box["y"] + 10)
    runs.page.mouse.down()
    runs.page.mouse.move(box["x"] + 64, box["y"] + 12, steps=3)
    runs.page.mouse.up()
    expect(edge).to_have_attribute("aria-valuenow", str(width + 60))
    assert "columns" not in query(runs)  # it was no drag of the column itself
    head.hover()
    head.get_by_role("button", name="Column rmse").click()
    runs.page.get_by_role("menuitem", name="Width").click()
    runs.press("ArrowLeft", "ArrowLeft", "ArrowRight")
    expect(edge).to_have_attribute("aria-valuenow", str(width + 44))
    runs.show(f"/experiments/{wine}").text("three")
    expect(edge).to_have_attribute("aria-valuenow", str(width + 44))
    edge.dblclick()
    expect(edge).to_have_attribute("aria-valuenow", str(width))


def test_only_columns_that_differ_are_shown(runs: Screen) -> None:
    runs.expect("[role=columnheader]").to_contain_text(
        ["", "Run", "Started", "Duration", "rmse", "alpha", "same"]
    )
    runs.page.get_by_role("button", name="Differing").click()
    runs.expect("[role=columnheader]").to_contain_text(["", "Run", "Started", "Duration", "rmse", "alpha"])
    runs.expect("[role=columnheader]").to_have_count(6)


def test_groups_show_mean_deviation_and_number(runs: Screen) -> None:
    runs.page.get_by_role("button", name="Group").click()
    runs.page.get_by_role("menuitem", name="By alpha").click()
    runs.expect(".grid-row.group").to_have_count(2)
    half = runs.page.locator(".grid-row.group", has_text="0.5")
    expect(half).to_have_text("0.5 2 0.6 ± 0.14", use_inner_text=True)
    exact = re.compile(r"2 values from 0\.5 to 0\.7, mean 0\.\d+, deviation 0\.14142135")
    half.get_by_title(exact).wait_for()
    half.get_by_role("button").click()
    runs.expect(NAMES).to_have_text(["three", "two"])
    runs.page.reload()
    runs.expect(NAMES).to_have_text(["three", "two"])


def test_groups_are_in_groups_and_ask_for_what_is_opened(runs: Screen) -> None:
    asked: list[str] = []
    runs.page.on("request", lambda request: asked.append(request.url))
    for by in ("By status", "Then by alpha"):
        runs.page.get_by_role("button", name="Group").first.click()
        runs.page.get_by_role("menuitem", name=by).click()
    runs.page.wait_for_url(re.compile(r"group=a\.status,p\.alpha"))
    runs.page.locator(".grid-row.group", has_text="FINISHED").get_by_role("button").click()
    runs.expect(".grid-row.group .run-name").to_have_text(["FAILED1", "FINISHED4", "0.13", "0.51"])
    runs.page.locator(".grid-row.group", has_text="0.5").last.get_by_role("button").click()
    runs.expect(NAMES).to_have_text(["two"])
    assert (
        len([url for url in asked if url.endswith("/groups")]) == 3
    )  # by status, with alpha to come, of FINISHED
    runs.page.reload()
    runs.expect(NAMES).to_have_text(["two"])
    runs.page.get_by_label("Select the group").nth(1).click()
    runs.text("4 runs selected")


def test_children_are_grouped_by_the_name_of_their_parent(runs: Screen, wine: str) -> None:
    runs.show(f"/experiments/{wine}?group=parent")
    runs.expect(".grid-row.group .run-name").to_have_text(["sweep2", "no value3"])
    first = runs.page.locator(".grid-row.group").first
    expect(first).to_have_text("sweep 2 0.7 ± 0.28", use_inner_text=True)


def test_groups_are_sorted_by_the_mean_of_a_metric(runs: Screen, wine: str) -> None:
    for order, first in (("m.rmse", "0.5"), ("-m.rmse", "0.1"), ("", "0.1")):
        runs.show(f"/experiments/{wine}?group=p.alpha&order={order}")
        runs.expect(".grid-row.group .run-name strong").to_have_text(
            [first, "0.1" if first == "0.5" else "0.5"]
        )


def test_a_store_of_another_server_has_the_same_table(screen: Screen, tmp_path: Path) -> None:
    """Its rows are sorted, grouped and counted in the browser."""
    wine = five_runs(screen.api, "passed on")
    with projrun_server(tmp_path, "--backend-store-uri", screen.api.uri) as front:
        screen.api = Api(front.uri)
        screen.show(f"/experiments/{wine}?order=m.rmse")
        screen.expect(NAMES).to_have_text(["two", "three", HOSTILE, "one", "sweep"])
        screen.show(f"/experiments/{wine}?group=p.alpha")
        half = screen.page.locator(".grid-row.group", has_text="0.5")
        expect(half).to_have_text("0.5 2 0.6 ± 0.14", use_inner_text=True)
        screen.api.run(wine, "through the other")
        screen.show(f"/experiments/{wine}").text("through the other")
        screen.page.get_by_role("button", name="Hide 2 children").wait_for()
        screen.page.goto("about:blank")  # before the server ends, which would be an error of the page
    screen.problems = [each for each in screen.problems if "501" not in each]


def test_new_and_changed_runs_appear_by_themselves(screen: Screen, api: Api) -> None:
    experiment = api.experiment("live")
    run = api.run(experiment, "going on", metrics={"loss": [3.0]}, status="RUNNING")
    screen.show(f"/experiments/{experiment}").text("going on")
    screen.expect(".status.running").to_have_count(1)
    api.run(experiment, "newcomer")
    api.post("runs/log-metric", run_id=run, key="loss", value=0.25, timestamp=1_700_000_009_000, step=9)
    screen.text("newcomer")
    screen.text("0.25")
    api.post("runs/update", run_id=run, status="FINISHED", end_time=1_700_000_060_000)
    screen.expect(".status.running").to_have_count(0)


def test_selected_runs_are_tagged_deleted_and_restored(screen: Screen, api: Api) -> None:
    experiment = api.experiment("changed")
    kept, other = api.run(experiment, "kept"), api.run(experiment, "gone", start=1_700_000_001_000)
    screen.show(f"/experiments/{experiment}").text("gone")
    screen.press("j", "x")
    screen.text("1 run selected")
    screen.page.get_by_role("button", name="Tag", exact=True).click()
    screen.page.get_by_role("dialog").get_by_label("Tag").fill("seen")
    screen.page.get_by_role("dialog").get_by_label("Value").fill("yes")
    screen.press("Enter")
    screen.text("Tagged 1 run")
    tags = api.send("GET", f"/api/2.0/mlflow/runs/get?run_id={other}")["run"]["data"]["tags"]
    assert {"key": "seen", "value": "yes"} in tags
    screen.page.get_by_role("button", name="Delete", exact=True).click()
    screen.expect(NAMES).to_have_text(["kept"])
    screen.page.get_by_role("button", name="Undo").click()
    screen.expect(NAMES).to_have_count(2)
    api.post("runs/delete", run_id=kept)
    screen.page.get_by_role("button", name="Deleted").click()
    screen.expect(NAMES).to_have_text(["kept"])
    screen.page.get_by_label("Select kept").click()
    screen.page.get_by_role("button", name="Restore").click()
    screen.text("Nothing is deleted")


def test_the_selection_is_in_the_address_and_goes_to_the_comparison(runs: Screen) -> None:
    runs.press("j", "x", "j", "x")
    runs.text("2 runs selected")
    runs.page.reload()
    runs.text("2 runs selected")
    runs.page.get_by_role("button", name="Compare").click()
    runs.page.wait_for_url(re.compile(r"/compare\?runs=[0-9a-f]{32},[0-9a-f]{32}"))


def test_the_table_is_saved_as_csv_with_whole_texts(screen: Screen, api: Api) -> None:
    experiment = api.experiment("saved")
    long = "x" * 300
    start = 1_700_000_000_000
    first = api.run(experiment, "=one", params={"p": long}, metrics={"loss": [2.0, 0.123456789]}, start=start)
    second = api.run(experiment, "two", params={"p": "a,b"}, metrics={"loss": [-1.5]}, start=start + 1000)
    screen.show(f"/experiments/{experiment}?order=a.start_time")
    screen.expect(NAMES).to_have_count(2)
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "saved.csv"
    table = list(csv.DictReader(download.value.path().read_text(encoding="utf-8").splitlines()))
    shown = [(run["run_id"], run["run_name"], run["metrics.loss"], run["params.p"]) for run in table]
    assert shown == [(first, "'=one", "0.123456789", long), (second, "two", "-1.5", "a,b")]
    assert table[0]["start_time"] == "2023-11-14T22:13:20.000Z"


def test_only_rows_in_sight_are_drawn(screen: Screen, api: Api) -> None:
    experiment = api.experiment("many")
    for number in range(1300):
        api.post(
            "runs/create",
            experiment_id=experiment,
            run_name=f"run {number}",
            start_time=1_700_000_000_000 + number,
        )
    screen.show(f"/experiments/{experiment}").text("run 1299")
    assert screen.page.locator(".grid-body .grid-row").count() < 60
    screen.page.locator(".grid").evaluate("grid => { grid.scrollTop = 1e9 }")
    screen.text("run 0", exact=True)
    assert screen.page.locator(".grid-body .grid-row").count() < 60
    screen.page.get_by_label("Select all runs").click()
    screen.text("1,300 runs selected")
    # As many as no address holds: the tab knows them.
    screen.text("in this tab only")
    screen.page.reload()
    screen.text("1,300 runs selected")
    screen.text("run 1299", exact=True)  # the keys are for rows
    screen.press("j", "x")
    screen.text("1,299 runs selected")
    screen.page.get_by_role("button", name="Select nothing").click()
    screen.expect(".selected").to_have_count(0)
    assert "select" not in query(screen)


def test_scrolling_leaves_the_elements_of_rows_in_their_places(screen: Screen, api: Api) -> None:
    experiment = api.experiment("long")
    for number in range(210):
        api.post("runs/create", experiment_id=experiment, run_name=f"run {number}", start_time=number + 1)
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    screen.show(f"/experiments/{experiment}").text("run 209")
    moved = screen.page.locator(".grid").evaluate(
        """async (grid) => {
            let moved = 0;
            const count = (records) => records.forEach((each) => (moved += each.addedNodes.length));
            new MutationObserver(count).observe(grid.querySelector(".grid-body"), { childList: true });
            while (grid.scrollTop + grid.clientHeight < grid.scrollHeight) {
                grid.scrollTop += 128;
                await new Promise(requestAnimationFrame);
            }
            return moved;
        }"""
    )
    screen.text("run 0", exact=True)
    assert moved < 10  # of 22 blocks of rows that came: they are put in order where the scrolling pauses
    assert asked.count("rows") <= 6  # cells of many rows are read at once, before they are in sight
    last = screen.page.locator(".grid-body .grid-row").last
    expect(last).to_have_attribute("aria-rowindex", "211")
    shown = screen.page.locator(NAMES).count()
    screen.expect(NAMES).to_have_text([f"run {number}" for number in reversed(range(shown))])


def test_an_experiment_without_runs_says_how_to_record(screen: Screen, api: Api) -> None:
    experiment = api.experiment("it's empty")
    screen.show(f"/experiments/{experiment}")
    screen.text("projrun run . --experiment-name 'it'\\''s empty'")
    screen.picture("runs-empty")


def test_the_description_is_markdown_without_html(screen: Screen, api: Api) -> None:
    note = "Read **this**\n\n<img src=x onerror=alert(1)> [link](javascript:alert(2))"
    screen.show(f"/experiments/{api.experiment('described', **{'mlflow.note.content': note})}")
    screen.page.locator(".about summary").click()
    screen.expect(".about strong").to_have_text("this")
    assert screen.page.locator(".about img, .about a[href^=javascript]").count() == 0


def test_a_read_only_server_offers_no_changes(screen: Screen, tmp_path: Path) -> None:
    wine = five_runs(screen.api, "only read")
    with projrun_server(tmp_path, "--backend-store-uri", screen.api.uri, "--read-only") as front:
        screen.api = Api(front.uri)
        screen.show("/experiments?q=only+read")
        screen.page.get_by_role("link", name="only read").wait_for()
        screen.show(f"/experiments/{wine}").text("three")
        screen.press("j", "x")
        screen.text("1 run selected")
        offered = screen.page.get_by_role(
            "button", name=re.compile("^(New experiment|Actions|Edit|Tag|Delete)$")
        )
        assert offered.count() == 0
        screen.page.goto("about:blank")
    screen.problems = [each for each in screen.problems if "501" not in each]


def test_an_unknown_experiment_is_not_found(screen: Screen) -> None:
    screen.show("/experiments/987654").text("Not found")
    screen.problems = [each for each in screen.problems if "404" not in each]


def test_addresses_of_mlflows_page_lead_here(screen: Screen, wine: str) -> None:
    screen.show(f"/#/experiments/{wine}").text("Elastic nets")
    assert urlsplit(screen.page.url).path == f"/experiments/{wine}"


def test_pictures(screen: Screen, wine: str) -> None:
    screen.pictures(("runs", f"/experiments/{wine}?select=1", f"{NAMES}:text('two')"))
    screen.show(f"/experiments/{wine}?group=a.status,p.alpha&open=FINISHED%0AFINISHED%090.1").text("±")
    screen.expect(NAMES).to_have_count(3)
    screen.picture("runs-grouped")
    screen.page.get_by_role("button", name="Columns").click()
    screen.text("Shown, from left to right")
    screen.picture("runs-columns")
    assert screen.inaccessible() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["metrics.rmse", "params.`a b`"]),
        ("metrics.rmse ", ["<", "<=", ">", ">=", "=", "!="]),
        ("metrics.rmse < ", []),
        ("metrics.rmse < 1 ", ["AND"]),
        ("status = ", ["'FINISHED'", "'FAILED'"]),
        ("params.`a b` ", ["=", "!=", "LIKE", "ILIKE", "IN"]),
        ("metrics.rmse < 1 AND par", ["params.`a b`"]),
    ],
)
def test_completions(screen: Screen, text: str, expected: list[str]) -> None:
    screen.show("/").text("Experiments")
    known = "[{kind: 'metric', key: 'rmse'}, {kind: 'param', key: 'a b'}]"
    found = screen.module("lib/filter_words.js", f"it.complete({text!r}, {len(text)}, {known}).words")
    assert found[: max(1, len(expected))] == expected


def test_columns_are_written_in_addresses_and_read_again(screen: Screen) -> None:
    screen.show("/").text("Experiments")
    keys = ["plain", "a,b", "100%", "x.y/z", "%2C", "ünï"]
    made = f"{keys!r}.map((key) => it.column('metric', key, 'min'))"
    assert (
        screen.module("lib/columns.js", f"it.columnsOf(it.columnsText({made})).map((each) => each.key)")
        == keys
    )
