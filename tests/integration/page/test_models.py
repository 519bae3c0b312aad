"""The registry in a browser: models, versions, aliases, stages, and where a version came from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser import Screen
from tests.support.rest import Api

HOSTILE = "<img src=x onerror=alert(1)>\n\n[x](javascript:alert(2)) <script>alert(3)</script>"
MLMODEL = """\
artifact_path: model
flavors:
  python_function:
    loader_module: mlflow.sklearn
    python_version: 3.11.7
  sklearn:
    sklearn_version: 1.5.0
saved_input_example_info:
  artifact_path: input_example.json
signature:
  inputs: '[{"type": "double", "name": "alcohol", "required": true}, {"type": "double", "name": "pH",
    "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
"""


@pytest.fixture(scope="module")
def wine(api: Api) -> str:
    """A model of three versions, two of them in stages, one with an alias; the id of their run."""
    experiment = api.experiment("for the registry")
    run = api.run(
        experiment,
        "steady-fox",
        params={"alpha": "0.5"},
        metrics={"rmse": [0.9, 0.7123456789], "r2": [0.2, 0.33], "mae": [0.5]},
        tags={"mlflow.source.name": "train.py", "mlflow.source.git.commit": "4f1d2c9" + "0" * 33},
    )
    dataset = {"name": "wine-quality", "digest": "ab12cd", "source_type": "http", "source": "{}"}
    context = [{"key": "mlflow.data.context", "value": "training"}]
    api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset, "tags": context}])
    folder = f"{experiment}/{run}/artifacts/model"
    api.put(f"{folder}/MLmodel", MLMODEL.encode())
    example = {"columns": ["alcohol", "pH"], "data": [[9.4, 3.51], [9.8, 3.2]]}
    api.put(f"{folder}/input_example.json", json.dumps(example).encode())
    note = "Predicts the **quality** of a wine from what a laboratory measures.\n\n- trained nightly\n- owner: Ann"
    api.post(
        "registered-models/create", name="wine", description=note, tags=[{"key": "team", "value": "red"}]
    )
    for _ in range(3):
        version(api, "wine", run)
    for number, stage in (("1", "Production"), ("3", "Staging")):
        api.post("model-versions/transition-stage", name="wine", version=number, stage=stage)
    api.post("registered-models/alias", name="wine", version="2", alias="champion")
    return run


def version(api: Api, name: str, run: str, **more: Any) -> None:
    """A new version of the run's model."""
    root = json.dumps(
        api.send("GET", f"/api/2.0/mlflow/runs/get?run_id={run}")["run"]["info"]["artifact_uri"]
    )
    api.post("model-versions/create", name=name, run_id=run, source=f"{json.loads(root)}/model", **more)


def dialog(screen: Screen) -> Locator:
    """The dialog that is open."""
    return screen.page.get_by_role("dialog")


def act(screen: Screen, of: str, action: str) -> None:
    """Choose from a menu."""
    screen.page.get_by_role("button", name=f"Actions for {of}", exact=True).click()
    screen.page.get_by_role("menuitem", name=action).click()


def test_a_model_is_created_described_renamed_and_deleted(screen: Screen) -> None:
    screen.show("/models")
    screen.page.get_by_role("button", name="New model").click()
    dialog(screen).get_by_label("Name").fill("a b&c")
    screen.page.get_by_role("button", name="Create", exact=True).click()
    screen.page.wait_for_url("**/models/a%20b%26c")
    screen.page.get_by_role("button", name="Add a description").click()
    screen.page.get_by_label("Description in Markdown").fill("is *new*")
    screen.page.get_by_role("button", name="Save").click()
    screen.expect("main em").to_have_text("new")
    screen.page.get_by_role("button", name="Tag", exact=True).click()
    screen.page.get_by_label("Key of the tag").fill("team")
    screen.page.get_by_label("Value of the tag").fill("blue")
    screen.press("Enter")
    screen.page.get_by_role("button", name="Remove the tag team").click()
    screen.page.get_by_role("button", name="Remove the tag team").wait_for(state="detached")
    screen.page.get_by_role("button", name="Undo").click()
    screen.page.get_by_role("button", name="Remove the tag team").wait_for()
    act(screen, "this model", "Rename")
    dialog(screen).get_by_label("Name").fill("renamed")
    screen.page.get_by_role("button", name="Rename", exact=True).click()
    screen.page.wait_for_url("**/models/renamed")
    act(screen, "this model", "Delete")
    delete = screen.page.get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_disabled()
    dialog(screen).get_by_label("Type the model's name").fill("renamed")
    delete.click()
    screen.page.wait_for_url("**/models")
    screen.expect("h1").to_have_text("Models")


def test_the_model_behind_an_alias_is_two_clicks_away(screen: Screen, wine: str) -> None:
    screen.show("/")
    screen.page.get_by_role("link", name="Models").click()
    screen.page.get_by_role("link", name="@champion").click()
    screen.page.wait_for_url("**/models/wine/versions/2")
    screen.expect("h1").to_have_text("Version 2")


def test_where_a_version_came_from_and_what_it_takes(screen: Screen, wine: str) -> None:
    screen.show("/models/wine/versions/2")
    screen.text("wine-quality")
    lineage = screen.page.locator(".lineage")
    for text in ("training, http, digest ab12cd", "train.py", "4f1d2c9", "steady-fox", "wine v2"):
        lineage.get_by_text(text).first.wait_for()
    place = lineage.get_by_role("link", name="steady-fox").get_attribute("href") or ""
    assert place.startswith("/experiments/")
    assert place.endswith(f"/runs/{wine}")
    screen.expect(".figures dd").to_have_text(["0.5", "0.33", "0.712346"])
    screen.expect(".figures dd >> nth=2 >> [title='0.7123456789']").to_be_visible()
    signature = screen.page.locator(".signature")
    signature.get_by_text("alcohol").wait_for()
    expect(signature.locator("tr", has_text="pH")).to_contain_text("optional")
    screen.page.get_by_text("3.51").wait_for()
    screen.page.get_by_text('load_model("models:/wine@champion")').wait_for()
    screen.page.get_by_text("projrun models serve -m models:/wine@champion").wait_for()


def test_a_version_without_an_mlmodel_file_says_so(screen: Screen, api: Api) -> None:
    run = api.run(api.experiment("no model files"), "empty")
    api.post("registered-models/create", name="without files")
    version(api, "without files", run)
    screen.show("/models/without%20files/versions/1").text("There is no MLmodel file at the source.")


def test_a_run_is_found_by_its_id_alone(screen: Screen, wine: str) -> None:
    screen.show("/models/wine").page.get_by_role("link", name=wine[:8]).first.click()
    screen.page.wait_for_url(f"**/experiments/*/runs/{wine}")
    screen.show(f"/runs/{wine}")
    screen.page.wait_for_url(f"**/experiments/*/runs/{wine}")
    screen.text("steady-fox")


def test_a_stage_offers_to_archive_the_others(screen: Screen, api: Api, wine: str) -> None:
    api.post("registered-models/create", name="staged")
    for _ in range(2):
        version(api, "staged", wine)
    api.post("model-versions/transition-stage", name="staged", version="1", stage="Production")
    screen.show("/models/staged")
    act(screen, "version 2", "Move to a stage")
    dialog(screen).get_by_label("Production").check()
    dialog(screen).get_by_text("Archive version 1, now in Production").wait_for()
    screen.page.get_by_role("button", name="Move", exact=True).click()
    screen.page.locator("tr", has_text="v2").get_by_text("Production").wait_for()
    screen.page.locator("tr", has_text="v1").get_by_text("Archived").wait_for()
    act(screen, "version 2", "Delete")
    screen.page.get_by_role("button", name="Delete", exact=True).click()
    screen.expect(".versions tbody tr").to_have_count(1)


def test_an_alias_moves_and_goes(screen: Screen, api: Api, wine: str) -> None:
    api.post("registered-models/create", name="aliased")
    for _ in range(2):
        version(api, "aliased", wine)
    screen.show("/models/aliased/versions/1")
    screen.page.get_by_role("button", name="Alias", exact=True).click()
    dialog(screen).get_by_label("Alias").fill("best")
    screen.page.get_by_role("button", name="Set", exact=True).click()
    screen.page.get_by_role("link", name="@best").wait_for()
    screen.show("/models/aliased")
    act(screen, "version 2", "Set an alias")
    dialog(screen).get_by_label("Alias").fill("best")
    dialog(screen).get_by_text("It names version 1 now").wait_for()
    screen.page.get_by_role("button", name="Set", exact=True).click()
    screen.page.locator("tr", has_text="v2").get_by_role("link", name="@best").wait_for()
    screen.page.get_by_role("button", name="Remove the alias best").click()
    screen.page.get_by_role("link", name="@best").first.wait_for(state="detached")
    screen.page.get_by_role("button", name="Undo").click()
    screen.page.locator("tr", has_text="v2").get_by_role("link", name="@best").wait_for()


def test_hostile_names_and_descriptions_are_texts(screen: Screen, api: Api, wine: str) -> None:
    name = "<b onclick=alert(1)>'\"$(x)"
    api.post(
        "registered-models/create", name=name, description=HOSTILE, tags=[{"key": "kind", "value": "<s>"}]
    )
    version(api, name, wine, description=HOSTILE)
    screen.show("/models?q=onclick").text(name)
    screen.page.get_by_role("link", name=name).first.click()
    screen.expect("h1").to_have_text(name)
    screen.page.get_by_role("link", name="v1").first.click()
    screen.expect("h1").to_have_text("Version 1")
    screen.page.get_by_text("projrun models serve -m 'models:/").wait_for()
    assert screen.page.locator("main img, main script, main b, main a[href^=javascript]").count() == 0


@pytest.mark.parametrize("name", ["~..", "%2e%2e", "a%2Fb", "#c?d=1&e", "é \\ 100%", "it's"])
def test_any_name_has_an_address(screen: Screen, api: Api, wine: str, name: str) -> None:
    api.post("registered-models/create", name=name)
    version(api, name, wine)
    screen.show("/models").page.get_by_role("link", name=name, exact=True).click()
    screen.expect("h1").to_have_text(name)
    screen.page.reload()
    screen.expect("h1").to_have_text(name)
    screen.page.get_by_role("link", name="v1").first.click()
    screen.expect("h1").to_have_text("Version 1")
    screen.page.reload()
    screen.expect("h1").to_have_text("Version 1")
    screen.page.get_by_role("link", name=name, exact=True).click()
    screen.expect("h1").to_have_text(name)
    api.send("DELETE", "/api/2.0/mlflow/registered-models/delete", json.dumps({"name": name}).encode())


def test_the_keyboard_leads_from_the_list_to_a_version(screen: Screen, wine: str) -> None:
    screen.show("/experiments").text("New experiment")
    screen.press("g", "m")
    screen.page.get_by_role("link", name="wine", exact=True).wait_for()
    screen.press("/")
    screen.page.keyboard.type("wine")
    screen.expect("tbody tr").to_have_count(1)
    screen.page.evaluate("document.activeElement.blur()")
    screen.press("j", "Enter")
    screen.page.wait_for_url("**/models/wine")
    screen.expect(".versions tbody tr").to_have_count(3)
    screen.press("j", "j", "Enter")
    screen.page.wait_for_url("**/models/wine/versions/2")


def test_pictures(screen: Screen, wine: str) -> None:
    screen.pictures(
        ("models", "/models", ".models a"),
        ("models-empty", "/models?q=none+is+called+so", ".state"),
        ("model", "/models/wine", ".versions a"),
        ("version", "/models/wine/versions/2", ".signature"),
    )
