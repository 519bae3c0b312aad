"""What a person asks who has used MLflow, answered in at most three clicks from the first page."""

from __future__ import annotations

from tests.support.browser import Screen
from tests.support.rest import Api


def test_which_run_of_an_experiment_is_the_best(screen: Screen, api: Api) -> None:
    experiment = api.experiment("which is best")
    for name, loss in (("good", 0.2), ("best", 0.1), ("bad", 0.3)):
        api.run(experiment, name, metrics={"loss": [loss]})
    screen.show("/").page.get_by_role("link", name="which is best").click()
    screen.page.get_by_role("button", name="loss", exact=True).click()
    screen.expect(".run-name a").to_have_text(["best", "good", "bad"])


def test_the_keyboard_alone_leads_from_the_list_to_a_run_and_to_the_comparison(
    screen: Screen, api: Api
) -> None:
    experiment = api.experiment("keys only")
    for name in ("first", "second"):
        api.run(experiment, name, params={"of": name}, metrics={"loss": [0.5, 0.4]})
    screen.show("/")
    screen.text("keys only")
    screen.press("/")
    screen.page.keyboard.type("keys only")
    screen.expect("tbody tr").to_have_count(1)
    screen.press("Enter", "Enter")  # from the box to the first that was found, and there
    screen.page.wait_for_url(f"**/experiments/{experiment}")
    screen.expect(".run-name a").to_have_count(2)
    screen.press("j", "Enter")
    screen.page.wait_for_url("**/runs/*")
    screen.page.go_back()
    screen.expect(".run-name a").to_have_count(2)
    screen.press("j", "x", "j", "x", "c")
    screen.page.wait_for_url("**/compare?runs=*")
    for name in ("first", "second"):
        screen.text(name)
