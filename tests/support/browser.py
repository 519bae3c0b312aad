"""The page in a real browser: what it shows, and whatever goes wrong while it does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, expect, sync_playwright

from tests.support.commands import missing, require_tool
from tests.support.guard import REPOSITORY
from tests.support.rest import Api

PICTURES = Path(os.environ.get("PAGE_PICTURES") or REPOSITORY / "build" / "pictures")
"""Where the tests leave pictures of what they saw."""
WIDE, NARROW, NARROWEST = 1280, 400, 360
_AXE = REPOSITORY / "scripts" / "page" / "node_modules" / "axe-core" / "axe.min.js"
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--process-per-site",  # another one for each page takes half a second
]
_PATIENCE = 60_000  # milliseconds: a busy machine
expect.set_options(timeout=_PATIENCE)


class Screen:
    """One page of a browser that looks at a server."""

    def __init__(self, page: Page, api: Api) -> None:
        self.page = page
        self.api = api
        self.problems: list[str] = []
        page.set_default_timeout(_PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._note_foreign(request.url))

    def show(self, path: str, *, width: int = WIDE, dark: bool = False, height: int = 800) -> Screen:
        """Go to a path of the server."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.goto(self.api.uri + path)
        return self

    def text(self, text: str, *, exact: bool = False) -> Locator:
        """What shows a text, once it does."""
        found = self.page.get_by_text(text, exact=exact).first
        found.wait_for()
        return found

    def expect(self, selector: str) -> Any:
        """To wait for something: `screen.expect("h1").to_have_text("Runs")`."""
        expect.set_options(timeout=_PATIENCE)
        return expect(self.page.locator(selector))

    def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def picture(self, name: str) -> Path:
        """A picture of what is shown now."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        file = PICTURES / f"{name}.png"
        self.page.screenshot(path=file, animations="disabled")
        return file

    def go(self, path: str) -> None:
        """To a path of the page that is shown, as a link leads there: nothing is loaded again."""
        self.page.evaluate(
            "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }",
            path,
        )

    def pictures(self, *views: tuple[str, str, str]) -> None:
        """Pictures of views, each a name, a path and what is shown once it is ready: wide and narrow, light and dark.

        axe accepts two of them; the page is never wider than its window, nor than that of the narrowest telephone.
        """
        for width in (WIDE, NARROW):
            for number, (name, path, ready) in enumerate(views):
                self.page.set_viewport_size({"width": width, "height": 800})
                self.go(path) if number else self.show(path, width=width)
                self.page.locator(ready).first.wait_for()
                for dark in (False, True):
                    self.page.emulate_media(color_scheme="dark" if dark else "light")
                    self.picture(f"{name}-{width}-{'dark' if dark else 'light'}")
                    assert self.overflow() <= 0, f"{name} is wider than {width} px"
                    if dark is (width == NARROW):  # it takes half a second
                        found = self.inaccessible()
                        assert not found, "\n".join(found)
                if width == NARROW:
                    self.page.set_viewport_size({"width": NARROWEST, "height": 800})
                    assert self.overflow() <= 0, f"{name} is wider than {NARROWEST} px"

    def module(self, name: str, expression: str) -> Any:
        """What an expression of a module of the page gives; the module is `it`. The page must be shown."""
        place = 'new URL(name, document.querySelector("script[type=module]").src)'
        return self.page.evaluate(
            f"async (name) => {{ const it = await import({place}); return {expression} }}", f"./{name}"
        )

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def inaccessible(self) -> list[str]:
        """What axe-core has to say about what is shown now, by the rules of WCAG 2 A and AA."""
        if not _AXE.exists():
            missing("axe-core is missing: run scripts/vendor-page --check")
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations']})"
        )
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self._note("console", f"{said.text} {said.location['url']}")

    def _dismiss(self, dialog: Dialog) -> None:
        self._note("dialog", dialog.message)
        dialog.dismiss()

    def _note_foreign(self, url: str) -> None:
        if not url.startswith((self.api.uri, "data:", "blob:")):
            self._note("request to elsewhere", url)

    def _note(self, kind: str, text: str) -> None:
        self.problems.append(f"{kind}: {text}")


class Visitor:
    """The browser of one person: what it has loaded stays, what it remembers is forgotten after each page."""

    def __init__(self, browser: Browser, api: Api) -> None:
        self._api = api
        self._context = browser.new_context(reduced_motion="reduce")
        # Stays open: it forgets what others remembered, and its process shows them.
        self._first = self._context.new_page()
        self._first.goto(f"{api.uri}/experiments/0/nothing/here")

    @contextmanager
    def screen(self) -> Iterator[Screen]:
        """A new page."""
        screen = Screen(self._context.new_page(), self._api)
        try:
            yield screen
        finally:
            screen.page.close()
            self._context.clear_cookies()
            self._context.clear_permissions()
            self._first.evaluate("localStorage.clear()")

    def leave(self) -> None:
        """Close all."""
        self._context.close()


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """A browser whose own files are in a folder."""
    path = require_tool("chromium")
    with sync_playwright() as playwright:
        environ: dict[str, str | float | bool] = {**os.environ, "HOME": str(folder)}
        browser = playwright.chromium.launch(executable_path=path, args=_SWITCHES, env=environ)
        yield browser
        browser.close()
