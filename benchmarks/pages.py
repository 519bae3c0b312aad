"""The pages that are compared: where each shows what, and what a person does there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from playwright.sync_api import Locator, Page

from benchmarks.served import Served


class Columns(NamedTuple):
    """The keys that a table shows."""

    metrics: Sequence[str]
    params: Sequence[str]


class Shown(Protocol):
    """How one page is used. Conditions are JavaScript; elements are found by role and text."""

    name: str

    def table(self, experiment: str, columns: Columns) -> str:
        """The address of an experiment's runs."""

    def choose(self, page: Page, columns: Columns) -> None:
        """Show all columns from now on, in a table that is shown."""

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

    def show_all(self, page: Page) -> None:
        """Show all curves from now on, in a chart's page."""

    def chart(self, page: Page) -> Locator:
        """Where one drags to zoom."""


class Ours:
    """The page of `projrun server`."""

    name = "projrun"

    def __init__(self, served: Served) -> None:
        self._root = f"http://127.0.0.1:{served.port}"

    def table(self, experiment: str, columns: Columns) -> str:
        shown = [*(f"m.{key}" for key in columns.metrics), *(f"p.{key}" for key in columns.params)]
        return f"{self._root}/experiments/{experiment}?columns={','.join(shown)}"

    def choose(self, page: Page, columns: Columns) -> None:
        """They are in the address."""

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

    def show_all(self, page: Page) -> None:
        """They are."""

    def chart(self, page: Page) -> Locator:
        return page.get_by_role("img", name=re.compile("curves; the values"))


class Theirs:
    """The page of `mlflow server`, version 3.17: its table, and the charts beside it."""

    name = "mlflow"

    def __init__(self, served: Served) -> None:
        self._root = f"http://127.0.0.1:{served.port}/#"

    def table(self, experiment: str, columns: Columns) -> str:
        unset = (
            "searchFilter=&orderByKey=attributes.start_time&orderByAsc=false"  # else those of the last time
        )
        return f"{self._root}/experiments/{experiment}/runs?{unset}"

    def choose(self, page: Page, columns: Columns) -> None:
        """Its assistant, which opens by itself, takes a fourth of the window."""
        page.get_by_role("button", name="Close", exact=True).first.click()
        page.get_by_role("button", name="Columns").click()
        for kind, keys in (("Metrics", columns.metrics), ("Parameters", columns.params)):
            line = page.locator("[class*=tree-treenode]").filter(has_text=f"{kind} ({len(keys)})")
            line.locator("[class*=tree-checkbox]").first.click()
        page.keyboard.press("Escape")
        page.get_by_role("columnheader", name=columns.metrics[0]).first.wait_for()
        page.wait_for_timeout(1000)  # until it has been remembered

    def filter_box(self, page: Page) -> Locator:
        return page.get_by_test_id("search-box")

    def sort(self, page: Page, metric: str) -> None:
        page.get_by_role("columnheader", name=metric).first.click()

    def rows(self, page: Page) -> Locator:
        return page.get_by_role("treegrid").or_(page.get_by_role("grid")).first

    def curves(self, experiment: str, runs: Sequence[str], metric: str) -> str:
        return f"{self._root}/experiments/{experiment}/runs?compareRunsMode=CHART"

    def lines(self, count: int) -> str:
        return f"document.querySelectorAll('.js-plotly-plot .trace').length >= {count}"

    def show_all(self, page: Page) -> None:
        page.get_by_role("button", name="Close", exact=True).first.click()
        page.get_by_role("button", name="Toggle visibility of runs").click()
        page.get_by_text("Show all runs").click()

    def chart(self, page: Page) -> Locator:
        return page.locator(".js-plotly-plot").first
