"""The page where something is odd or fails: values, addresses, answers that come late or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Route

from tests.support.browser import Screen
from tests.support.rest import Api

PROXY = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"


@pytest.fixture
def refused(browser: Browser, api: Api) -> Iterator[Screen]:
    """A page whose console says which answers were errors; scripts have none."""
    context = browser.new_context(reduced_motion="reduce")
    screen = Screen(context.new_page(), api)
    yield screen
    context.close()
    assert [each for each in screen.problems if "Failed to load resource" not in each] == []


def test_values_and_times_at_the_ends_of_what_they_can_be(screen: Screen, api: Api) -> None:
    experiment = api.experiment("odd values")
    metrics: dict[str, list[float | str]] = {
        "close": [1e16, 1e16 + 2],
        "far": [1.7e308, -1.7e308],
        "small": [5e-324, 1e308],
        "none": ["NaN", "Infinity"],
    }
    late = 9_000_000_000_000_000
    run = api.run(experiment, "odd", metrics=metrics, start=late, params={"far": "1"})
    other = api.run(experiment, "other", metrics={"far": [1.0, 2.0]}, params={"far": "2"})
    place = f"/experiments/{experiment}/runs/{run}"
    screen.show(place).text("9e15 ms after 1970")
    for axis in ("step", "relative", "wall"):
        for log in ("", "1"):
            screen.show(f"{place}?{urlencode({'tab': 'metrics', 'x': axis, 'logx': log, 'logy': log})}")
            screen.expect("figure canvas.chart-overlay").to_have_count(4)
    screen.page.locator("figure[aria-label=close] summary").click()
    screen.page.get_by_title("10000000000000002", exact=True).first.wait_for()  # shown as 1e16
    for tab in ("scatter", "parallel"):
        screen.show(f"/compare?runs={run},{other}&tab={tab}").page.locator("svg.drawing").wait_for()
    screen.show(f"/experiments/{experiment}?columns=c.far&pins=0.5").page.locator("svg.spark").nth(
        1
    ).wait_for()
    screen.show(f"/experiments/{experiment}?columns=a.start_time,m.far").text("odd", exact=True)
    with screen.page.expect_download() as saved:
        screen.page.get_by_role("button", name="CSV", exact=True).click()
    assert "9e15 ms after 1970" in saved.value.path().read_text(encoding="utf-8")


def test_runs_without_a_value_are_a_group_that_opens(screen: Screen, api: Api) -> None:
    experiment = api.experiment("some have none")
    for name, params in (("with", {"lr": "1"}), ("without", {})):
        api.run(experiment, name, params=params)
    screen.show(f"/experiments/{experiment}?group=p.lr")
    screen.page.get_by_role("button", name="Show 1 run of no value").click()
    screen.page.get_by_role("link", name="without").wait_for()


def test_a_late_answer_does_not_replace_a_newer_one(screen: Screen, api: Api) -> None:
    """Of a row far below those whose cells come with the rows: its cells are asked for when it is in sight."""
    experiment = api.experiment("late answers")
    run = api.run(experiment, "live", metrics={"loss": [0.25]}, status="RUNNING", start=1)
    for number in range(300):
        api.post("runs/create", experiment_id=experiment, run_name=f"other {number}", start_time=number + 2)
    held: list[Route] = []
    answers: list[bytes] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)
            answers.append(route.fetch().body())

    screen.show(f"/experiments/{experiment}?columns=m.loss").text("other 299", exact=True)
    screen.page.route("**/runs/rows", hold)
    screen.page.locator(".grid").evaluate("grid => { grid.scrollTop = 1e9 }")
    row = ".grid-row[data-index='300']"
    screen.page.locator(row).wait_for()
    while not answers:  # the test's own time limit ends it
        screen.page.wait_for_timeout(20)
    point = {"key": "loss", "value": 0.75, "timestamp": 1_700_000_001_000, "step": 1}
    api.post("runs/log-batch", run_id=run, metrics=[point])
    screen.text("0.75", exact=True)
    held[0].fulfill(body=answers[0], content_type="application/json")
    screen.page.wait_for_timeout(200)
    screen.expect(row).to_contain_text("0.75")


def test_of_many_changes_those_that_failed_are_told(refused: Screen, api: Api) -> None:
    experiment = api.experiment("half deleted")
    kept = api.run(experiment, "kept")
    api.run(experiment, "gone")

    def answer(route: Route) -> None:
        if kept in (route.request.post_data or ""):
            route.fulfill(status=503, body=PROXY, content_type="text/html")
        else:
            route.continue_()

    refused.page.route("**/runs/delete", answer)
    refused.show(f"/experiments/{experiment}").page.get_by_label("Select gone").check()
    refused.page.get_by_label("Select kept").check()
    refused.page.get_by_role("button", name="Delete", exact=True).click()
    refused.text("1 run of 2 not changed: The server is busy or starting. Try again in a moment.")
    refused.expect(".grid-body .grid-row").to_have_count(1)


def test_a_folder_that_cannot_be_listed_says_so(refused: Screen, api: Api) -> None:
    experiment = api.experiment("unlisted")
    run = api.run(experiment, "files")
    api.put(f"{experiment}/{run}/artifacts/sub/a.txt", b"a")
    refused.page.route("**/artifacts/list?**path=sub*", lambda route: route.abort())
    refused.show(f"/experiments/{experiment}/runs/{run}?tab=artifacts").text("sub/").click()
    refused.text("The server cannot be reached")
    refused.page.unroute_all()
    refused.page.get_by_role("button", name="Try again").last.click()
    refused.text("a.txt")


def test_a_drag_out_of_a_dialog_loses_nothing(screen: Screen) -> None:
    screen.show("/experiments").text("New experiment").click()
    field = screen.page.get_by_role("dialog").get_by_label("Description")
    field.fill("a long text")
    box = field.bounding_box()
    assert box
    screen.page.mouse.move(box["x"] + 60, box["y"] + 10)
    screen.page.mouse.down()
    screen.page.mouse.move(5, box["y"] + 10)
    screen.page.mouse.up()
    screen.page.wait_for_timeout(100)
    assert field.input_value() == "a long text"
    screen.page.mouse.click(5, 400)
    screen.page.get_by_role("dialog").wait_for(state="detached")


def test_what_someone_else_wrote_meanwhile_is_not_replaced(screen: Screen, api: Api) -> None:
    page = screen.page
    refusal = "Someone else has changed this since you opened it."
    theirs = {"key": "mlflow.note.content", "value": "theirs"}
    experiment = api.experiment("two tabs", **{"mlflow.note.content": "old"})
    run = api.run(experiment, "two tabs", tags={"mlflow.note.content": "old"})
    screen.show(f"/experiments/{experiment}")
    page.get_by_role("button", name="Edit name and description").click()
    api.post("experiments/set-experiment-tag", experiment_id=experiment, **theirs)
    page.get_by_role("dialog").get_by_label("Description").fill("mine")
    page.get_by_role("button", name="Save").click()
    screen.text(refusal)
    screen.show(f"/experiments/{experiment}/runs/{run}")
    page.get_by_role("button", name="Edit the description").click()
    api.post("runs/set-tag", run_id=run, **theirs)
    page.get_by_role("dialog").get_by_label("Markdown").fill("mine")
    page.get_by_role("button", name="Save").click()
    screen.text(refusal)
    api.post("registered-models/create", name="two tabs", description="old")
    screen.show("/models/two%20tabs")
    page.get_by_role("button", name="Edit the description").click()
    changed = b'{"name": "two tabs", "description": "theirs"}'
    api.send("PATCH", "/api/2.0/mlflow/registered-models/update", changed)
    page.get_by_label("Description in Markdown").fill("mine")
    page.get_by_role("button", name="Save").click()
    screen.text(refusal)
    screen.show("/models/two%20tabs").text("theirs")
