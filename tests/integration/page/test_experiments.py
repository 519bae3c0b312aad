"""The list of experiments in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Locator

from tests.support.browser import Screen
from tests.support.rest import Api

HOSTILE = "<img src=x onerror=alert(1)>'\"{{x}}"


def test_experiments_are_created_renamed_deleted_and_restored(screen: Screen) -> None:
    screen.show("/")
    screen.text("New experiment").click()
    _dialog(screen).get_by_label("Name").fill("first of all")
    _dialog(screen).get_by_label("Description").fill("what it is for")
    screen.page.get_by_role("button", name="Create", exact=True).click()
    screen.page.wait_for_url(re.compile(r"/experiments/\d+$"))
    screen.show("/experiments?q=first")
    screen.text("what it is for")
    _act(screen, "first of all", "Edit name and description")
    _dialog(screen).get_by_label("Name").fill("renamed of all")
    screen.page.get_by_role("button", name="Save").click()
    screen.show("/experiments?q=renamed")
    _act(screen, "renamed of all", "Delete")
    screen.text("No experiment matches")
    screen.page.get_by_role("button", name="Deleted", exact=True).click()
    _act(screen, "renamed of all", "Restore")
    screen.text("No experiment matches")
    screen.page.get_by_role("button", name="Deleted", exact=True).click()
    screen.page.get_by_role("link", name="renamed of all").wait_for()


def _dialog(screen: Screen) -> Locator:
    return screen.page.get_by_role("dialog")


def _act(screen: Screen, name: str, action: str) -> None:
    screen.page.get_by_role("button", name=f"Actions for {name}").click()
    screen.page.get_by_role("menuitem", name=action).click()


def test_a_deletion_can_be_undone_at_once(screen: Screen, api: Api) -> None:
    api.experiment("not to be deleted")
    screen.show("/experiments?q=not+to+be")
    _act(screen, "not to be deleted", "Delete")
    screen.page.get_by_role("button", name="Undo").click()
    screen.page.get_by_role("link", name="not to be deleted").wait_for()


def test_a_name_that_is_taken_is_refused_in_the_dialog(screen: Screen, api: Api) -> None:
    api.experiment("taken")
    screen.show("/experiments").text("New experiment").click()
    _dialog(screen).get_by_label("Name").fill("taken")
    screen.page.get_by_role("button", name="Create", exact=True).click()
    screen.expect("dialog [role=alert]").to_contain_text("already exists")
    screen.problems = [each for each in screen.problems if "400" not in each]


def test_the_keyboard_finds_and_opens_an_experiment(screen: Screen, api: Api) -> None:
    experiment = api.experiment("by keyboard")
    screen.show("/experiments")
    screen.text("by keyboard")
    screen.press("/")
    screen.page.keyboard.type("by keyboard")
    screen.expect("tbody tr").to_have_count(1)
    screen.page.wait_for_url("**?q=by+keyboard")
    screen.page.evaluate("document.activeElement.blur()")
    screen.press("j", "Enter")
    screen.page.wait_for_url(f"**/experiments/{experiment}")


def test_names_and_descriptions_are_texts(screen: Screen, api: Api) -> None:
    api.experiment(HOSTILE, **{"mlflow.note.content": "<svg onload=alert(2)>"})
    screen.show("/experiments").text(HOSTILE)
    screen.text("<svg onload=alert(2)>")
    assert screen.page.locator("main img").count() == 0


def test_the_keys_are_explained(screen: Screen) -> None:
    screen.show("/experiments").text("New experiment")
    screen.press("?")
    screen.expect("dialog .keys").to_contain_text("j or ↓Next experiment")
    screen.press("Escape")
    screen.expect("dialog").to_have_count(0)


def test_the_page_can_be_dark_where_the_system_is_light(screen: Screen) -> None:
    screen.show("/experiments")
    screen.page.get_by_role("button", name="Dark colours").click()
    screen.page.reload()
    screen.expect("html").to_have_attribute("data-theme", "dark")


def test_an_unknown_place_says_so(screen: Screen) -> None:
    screen.show("/experiments/1/nonsense/2").text("There is no such page")
    screen.show("/nonsense/1").text("There is no such page")
    screen.problems = [each for each in screen.problems if "404" not in each]
    screen.page.get_by_role("link", name="To the experiments").click()
    screen.text("New experiment")


def test_pictures(screen: Screen, api: Api) -> None:
    api.experiment("seen in pictures", **{"mlflow.note.content": "A description"})
    screen.pictures(
        ("experiments", "/experiments", "tbody a"),
        ("experiments-empty", "/experiments?show=deleted&q=none", ".state"),
    )


def test_the_first_page_weighs_at_most_150_kilobytes(browser: Browser, api: Api) -> None:
    context = browser.new_context()  # which has loaded nothing yet
    screen = Screen(context.new_page(), api)
    sizes: list[int] = []
    screen.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    screen.show("/").text("New experiment")
    screen.page.wait_for_load_state("networkidle")
    context.close()
    assert screen.problems == []
    assert 10_000 < sum(sizes) < 150_000
