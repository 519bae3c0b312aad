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
