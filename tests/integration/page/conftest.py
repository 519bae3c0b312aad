"""One browser and one server for all tests of the page; a test fails by whatever the browser complains of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Screen, Visitor, chromium
from tests.support.program import projrun_server
from tests.support.rest import Api

HERE = str(Path(__file__).parent)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All in one process: a browser takes a second to start, and 200 MB."""
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.together("page"))


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium. It ends with this folder: while it is open, no other test can run an event loop."""
    with chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="package")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The server that the page is looked at on. Its store is shared: tests make experiments of their own."""
    with projrun_server(tmp_path_factory.mktemp("page-server")) as program:
        yield Api(program.uri)


@pytest.fixture(scope="package")
def visitor(browser: Browser, api: Api) -> Iterator[Visitor]:
    """Who looks at that server, and need not load the page's sixty files for each test."""
    visitor = Visitor(browser, api)
    yield visitor
    visitor.leave()


@pytest.fixture
def screen(visitor: Visitor) -> Iterator[Screen]:
    """A new page, without anything remembered. What it complained of is in `screen.problems`, empty at the end."""
    with visitor.screen() as screen:
        yield screen
    assert screen.problems == []
