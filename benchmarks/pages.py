"""The pages that are compared: where each shows what, and what a person does there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from playwright.sync_api import Locator, Page

from benchmarks.served import Served


class Shown(Protocol):
    """How one page is used. Conditions are JavaScript; elements are found by role and text."""

    name: str
    zoom_answers: int
    """Answers of the server that a zoom waits for."""

    def table(self, experiment: str) -> str:
        """The address of an experiment's runs."""

    def filter_box(self, page: Page) -> Locator:
        """Where a filter is written."""

    def sort(self, page: Page, metric: str) -> None:
        """Click on a metric's head, so that the greatest values come first."""

    def rows(self, page: Page) -> Locator:
        """What scrolls."""

    def curves(self, experiment: str, runs: Sequence[str], metric: str) -> str:
        """The address at which one chart shows a metric of runs."""

    def lines(self, count: int) -> str:
        """Whether a chart shows so many curves."""

    def chart(self, page: Page) -> Locator:
        """Where one drags to zoom."""


class Ours:
    """The page of `projrun server`."""

    name = "projrun"
    zoom_answers = 1

    def __init__(self, served: Served) -> None:
        self._root = f"http://127.0.0.1:{served.port}"

    def table(self, experiment: str) -> str:
        return f"{self._root}/experiments/{experiment}"

    def filter_box(self, page: Page) -> Locator:
        return page.get_by_role("combobox", name="Filter runs")

    def sort(self, page: Page, metric: str) -> None:
        page.get_by_role("button", name=metric, exact=True).click()

    def rows(self, page: Page) -> Locator:
        return page.get_by_role("grid", name="Runs")

    def curves(self, experiment: str, runs: Sequence[str], metric: str) -> str:
        return f"{self._root}/compare?runs={','.join(runs)}&tab=curves&chart={metric}"

    def lines(self, count: int) -> str:
        return f"document.querySelector('[role=img][aria-label*=\": {count} curves;\"]')"

    def chart(self, page: Page) -> Locator:
        return page.get_by_role("img", name=re.compile("curves; the values"))
