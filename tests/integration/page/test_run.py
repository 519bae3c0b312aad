"""The view of a run in a browser."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Screen
from tests.support.rest import Api

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
LOG = "\x1b[1mtraining\x1b[0m\n" + "".join(f"epoch {n} loss {1 / (n + 1):.4f}\n" for n in range(3000))
LOG += "\x1b[31mValueError: the loss is not a number\x1b[0m\n"
DRAWN = "figure[aria-label=loss]:not(:has-text('loading'))"
PATCH = (
    "diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-alpha = 1\n+alpha = 2\n"
)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PAGE = f"<h1 style='color: rgb(1, 2, 3)'>A page</h1>{HOSTILE}<img src=https://example.org/x.png>"
FILES = {
    "logs/output.log": LOG,
    "source/dirty.patch": PATCH,
    "environment/requirements.lock.txt": "numpy==2.0.0\n",
    "report.md": f"# Report\n\n![plot](plots/p.png) ![far](https://example.org/x.png)\n\n{HOSTILE}\n[bad](javascript:alert(3))",
    "table.csv": 'name,value\n"=cmd|calc",1.5\n' + HOSTILE + ",2\n",
    "conf.json": '{"layers": [64, 32], "note": "' + HOSTILE.replace('"', "") + '"}',
    "page.html": PAGE,
    "drawing.svg": "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='alert(4)'>"
    "<script>alert(5)</script><circle r='4'/></svg>",
    "train.py": "def train():  # learn\n    return 'done'\n",
    "model/MLmodel": "flavors:\n  sklearn:\n    sklearn_version: 1.5.0\nsignature:\n"
    '  inputs: \'[{"type": "double", "name": "acidity", "required": true}]\'\n',
}


class Seen(NamedTuple):
    """A run to look at."""

    experiment: str
    id: str

    @property
    def path(self) -> str:
        """Where its view is."""
        return f"/experiments/{self.experiment}/runs/{self.id}"


@pytest.fixture(scope="module")
def failed(api: Api) -> Seen:
    """A run that failed, with one of everything."""
    experiment = api.experiment("one run")
    tags = {
        "projrun.reason": "exit code 3",
        "projrun.exit_code": "3",
        "projrun.oom": "true",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": "https://github.com/ann/wine",
        "mlflow.source.git.commit": "0123456789abcdef0123456789abcdef01234567",
        "mlflow.source.git.repoURL": "git@github.com:ann/wine.git",
        "projrun.source.dirty": "true",
        "mlflow.note.content": f"**why** we did it {HOSTILE}",
        "team": HOSTILE,
    }
    losses: list[float | str] = [1 / (n + 1) for n in range(200)]
    losses[150] = "NaN"
    metrics: dict[str, list[float | str]] = {
        "loss": losses,
        "val/accuracy": [n / 200 for n in range(200)],
        "system/cpu_utilization_percentage": [40, 50],
    }
    run = api.run(experiment, "one-run", params={"alpha": "0.5"}, metrics=metrics, tags=tags, status="FAILED")
    for name, content in FILES.items():
        api.put(f"{experiment}/{run}/artifacts/{name}", content.encode())
    api.put(f"{experiment}/{run}/artifacts/plots/p.png", PIXEL)
    step = {"mlflow.parentRunId": run, "mlflow.project.entryPoint": "evaluate"}
    api.run(experiment, "its-child", tags=step, metrics={"score": [0.25]})
    return Seen(experiment, run)


def test_a_failed_run_says_why_before_all_else(screen: Screen, failed: Seen) -> None:
    screen.show(failed.path)
    screen.expect(".failure").to_contain_text("Failed: exit code 3 (out of memory)")
    screen.expect(".failure-tail").to_contain_text("ValueError: the loss is not a number")
    screen.expect(".failure .command").to_contain_text(f"projrun rerun {failed.id}")
    commit = screen.page.get_by_role("link", name="0123456789")
    expect(commit).to_have_attribute(
        "href", "https://github.com/ann/wine/commit/0123456789abcdef0123456789abcdef01234567"
    )
    screen.page.get_by_role("link", name="See the whole log").click()
    screen.text("ValueError: the loss is not a number")


def test_a_failed_run_without_a_log_shows_none(screen: Screen, api: Api) -> None:
    run = api.run(api.experiment("no log"), "silent", status="FAILED")
    with screen.page.expect_response("**/artifacts/list?**path=logs"):
        screen.show(f"/runs/{run}").text("The run recorded no reason.")
    screen.expect(".failure-tail").to_have_count(0)


def test_values_and_children_are_there(screen: Screen, failed: Seen) -> None:
    screen.show(failed.path)
    screen.expect("section[aria-label=Metrics] tbody").to_contain_text("0.005")
    screen.expect("section[aria-label=Params] tbody").to_contain_text("alpha")
    screen.expect("section[aria-label='Child runs'] th").to_have_text(
        ["Run", "Entry point", "Status", "Started", "Duration", "score"]
    )
    screen.expect("section[aria-label='Child runs'] td").to_contain_text(
        ["its-child", "evaluate", "finished", "", "1 min", "0.25"]
    )
    screen.expect("section[aria-label=Tags]").to_contain_text(HOSTILE)
    screen.page.get_by_role("link", name="loss", exact=True).click()
    screen.page.wait_for_url(re.compile("tab=metrics&chart=loss"))
    screen.expect("figure.chart").to_have_count(1)


def test_a_run_is_renamed_described_and_tagged(screen: Screen, api: Api) -> None:
    experiment = api.experiment("one run to change")
    run = api.run(experiment, "before")
    screen.show(f"/experiments/{experiment}/runs/{run}")
    page = screen.page
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Rename").click()
    _fill(page, "Name", "after", "Rename")
    screen.expect("h1").to_have_text("after")
    page.get_by_role("button", name="Add a description").click()
    _fill(page, "Markdown", "**good**", "Save")
    screen.expect(".note strong").to_have_text("good")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("dialog").get_by_label("Key").fill("team")
    _fill(page, "Value", "blue", "Save")
    screen.text("blue")
    page.get_by_role("button", name="Delete team").click()
    expect(page.get_by_text("blue")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    screen.text("blue")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    screen.expect(".head").to_contain_text("deleted")
    page.get_by_role("button", name="Undo").click()
    screen.expect(".head").not_to_contain_text("deleted")


def _fill(page: Page, label: str, text: str, action: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(label).fill(text)
    dialog.get_by_role("button", name=action, exact=True).click()
    dialog.wait_for(state="detached")


def test_curves_are_zoomed_smoothed_and_kept_in_the_address(screen: Screen, failed: Seen) -> None:
    screen.show(f"{failed.path}?tab=metrics")
    page = screen.page
    page.locator(f"{DRAWN} .u-over").wait_for()
    box = page.locator("figure[aria-label=loss] .u-over").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=3)
    page.mouse.up()
    page.wait_for_url(re.compile(r"zoom=(4|5)\d\.\d+,(9|10)\d*\.\d+"))
    screen.expect("figure[aria-label=loss] .chart-tip").to_contain_text("one-run")
    page.mouse.dblclick(box["x"] + 50, box["y"] + 50)
    page.wait_for_url(re.compile(r"tab=metrics$"))
    page.get_by_role("button", name="Log y").click()
    page.get_by_label("Smoothing").fill("0.6")
    page.wait_for_url(re.compile(r"logy=1&smooth=0.6"))
    page.get_by_label("Horizontal axis").select_option("relative")
    page.wait_for_url(re.compile(r"x=relative"))
    page.locator("figure[aria-label=loss] summary").click()
    screen.expect("figure[aria-label=loss] tbody").to_contain_text("3 min 19 s")


def test_a_log_is_searched_wrapped_and_followed(screen: Screen, api: Api, failed: Seen) -> None:
    screen.show(f"{failed.path}?tab=log")
    page = screen.page
    screen.text("epoch 3 loss")
    expect(page.locator(".log-text .ansi-bold")).to_have_text("training")
    assert page.locator(".log-line").count() < 120  # of 3,002
    page.get_by_label("Find in the log").fill("epoch 2345 ")
    # Before anything is found: the step is made then.
    page.get_by_label("Find in the log").press("Enter")
    screen.expect(".log-line.now").to_contain_text("epoch 2345 loss")
    screen.expect(".log-line.now .log-number").to_have_attribute("data-number", "2347")
    page.get_by_role("button", name="Wrap").click()
    screen.expect(".log-lines.wrap").to_be_visible()
    run = api.run(failed.experiment, "still running", status="RUNNING")
    place = f"{failed.experiment}/{run}/artifacts/logs/output.log"
    api.put(place, b"first line\n")
    screen.show(f"/experiments/{failed.experiment}/runs/{run}?tab=log")
    screen.text("first line")
    api.put(place, b"first line\nsecond line\n")
    screen.text("second line")
    api.post("runs/update", run_id=run, status="FINISHED")


KINDS = {
    "report.md": (".markdown", HOSTILE),
    "table.csv": (".boxed", "=cmd|calc"),
    "conf.json": (".json", "layers"),
    "train.py": (".code .code-word", "def"),
    "source/dirty.patch": (".patch-added", "+alpha = 2"),
    "model/MLmodel": (".signature", "acidity"),
    "logs/output.log": (".log-lines", "epoch 3"),
}


def test_files_are_shown_by_their_kind(screen: Screen, failed: Seen) -> None:
    for file, (selector, text) in KINDS.items():
        screen.show(f"{failed.path}?tab=artifacts&path={file}")
        expect(screen.page.locator(selector).first).to_contain_text(text)


def test_pages_and_drawings_run_nothing(screen: Screen, failed: Seen) -> None:
    # What the frame's policy has stopped is said on the console; nothing was sent.
    with screen.page.expect_event("requestfailed", lambda each: each.url == "https://example.org/x.png"):
        screen.show(f"{failed.path}?tab=artifacts&path=page.html")
    frame = screen.page.frame_locator("iframe")
    assert frame.get_by_role("heading").evaluate("it => getComputedStyle(it).color") == "rgb(1, 2, 3)"
    screen.problems = [each for each in screen.problems if not _stopped(each)]
    screen.show(f"{failed.path}?tab=artifacts&path=drawing.svg")
    screen.page.locator(".picture img").wait_for()
    screen.show(f"{failed.path}?tab=artifacts&path=report.md")
    expect(screen.page.locator(".markdown img")).to_have_count(1)  # of its own artifacts
    expect(screen.page.locator(".markdown a")).to_have_count(0)


def _stopped(problem: str) -> bool:
    return problem.endswith("https://example.org/x.png") or (
        problem.startswith("console")
        and ("Content Security Policy" in problem or "Blocked script" in problem)
    )


def test_the_tree_opens_folders_and_knows_addresses(screen: Screen, failed: Seen) -> None:
    screen.show(f"{failed.path}?tab=artifacts")
    page = screen.page
    page.get_by_role("treeitem", name="plots").click()
    page.get_by_role("treeitem", name="p.png").click()
    page.wait_for_url(re.compile(r"path=plots/p\.png"))
    page.go_back()
    screen.expect("[role=treeitem][aria-selected=true]").to_contain_text("plots")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the URI").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == f"runs:/{failed.id}/plots"


def test_models_datasets_and_a_folder_as_zip(screen: Screen, api: Api) -> None:
    experiment = api.experiment("one run with a model")
    run = api.run(experiment, "made a model")
    dataset = {
        "name": "wine",
        "digest": "d1",
        "source_type": "http",
        "source": '{"url": "https://example.org/w.csv"}',
    }
    dataset["profile"] = '{"num_rows": 42}'
    context = [{"key": "mlflow.data.context", "value": "training"}]
    api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset, "tags": context}])
    made = api.post("logged-models", experiment_id=experiment, name="wine-model", source_run_id=run)
    model = made["model"]["info"]["model_id"]
    api.post("runs/outputs", run_id=run, models=[{"model_id": model, "step": 1}])
    api.put(f"{experiment}/{run}/artifacts/plots/p.png", PIXEL)
    page = screen.show(f"/experiments/{experiment}/runs/{run}").page
    datasets = page.get_by_label("Datasets")
    expect(datasets).to_contain_text("wine")
    expect(datasets).to_contain_text("rows 42")
    expect(datasets).to_contain_text("training")
    expect(datasets).to_contain_text("https://example.org/w.csv")
    models = page.get_by_label("Models", exact=True)
    expect(models).to_contain_text(model)
    expect(models).to_contain_text(f"projrun models serve -m runs:/{run}/wine-model -p 1234")
    models.get_by_role("button", name="Register").click()
    _fill(page, "Registered model", "wine of a run", "Register")
    registered = models.get_by_role("link", name="wine of a run v1")
    expect(registered).to_have_attribute("href", "/models/wine%20of%20a%20run/versions/1")
    screen.show(f"/experiments/{experiment}/runs/{run}?tab=artifacts&path=plots")
    with page.expect_download() as download:
        page.get_by_role("link", name="zip").click()
    with ZipFile(download.value.path()) as archive:
        assert [name.rpartition("/")[2] for name in archive.namelist()] == ["p.png"]


def test_what_the_run_was_made_of(screen: Screen, failed: Seen) -> None:
    screen.show(f"{failed.path}?tab=source")
    screen.expect(".diff-summary").to_contain_text("1 file, +1")
    screen.expect(".patch-removed").to_have_text("-alpha = 1\n")
    screen.text("numpy==2.0.0")


def test_a_model_is_registered(screen: Screen, failed: Seen, api: Api) -> None:
    screen.show(f"{failed.path}?tab=artifacts&path=model")
    screen.text(f"projrun models serve -m runs:/{failed.id}/model -p 1234")
    for version in (1, 2):  # the second time the model is there
        screen.page.get_by_role("button", name="Register").click()
        _fill(screen.page, "Registered model", "wine of a folder", "Register")
        screen.text(f"Registered wine of a folder, version {version}")
    found = api.send("GET", "/api/2.0/mlflow/model-versions/get?name=wine%20of%20a%20folder&version=1")
    found = found["model_version"]
    assert (found["run_id"], found["source"]) == (
        failed.id,
        f"mlflow-artifacts:/{failed.experiment}/{failed.id}/artifacts/model",
    )


def test_pictures(screen: Screen, failed: Seen) -> None:
    screen.pictures(
        ("run-overview", failed.path, ".failure-tail:has-text('ValueError')"),
        (
            "run-metrics",
            f"{failed.path}?tab=metrics&smooth=0.6",
            f"{DRAWN} canvas",
        ),
        ("run-system", f"{failed.path}?tab=system", "figure[aria-label^=system] canvas"),
        ("run-log", f"{failed.path}?tab=log", ".log-line"),
        ("run-artifacts", f"{failed.path}?tab=artifacts&path=table.csv", ".boxed td"),
        ("run-model", f"{failed.path}?tab=artifacts&path=model", ".signature"),
        ("run-source", f"{failed.path}?tab=source", ".patch-removed"),
    )
