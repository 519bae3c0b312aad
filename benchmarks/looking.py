"""A browser that looks at a page: how long until something is shown, frames while it scrolls, the memory it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page

WIDTH, HEIGHT = 1280, 800
QUIET = 400
"""Milliseconds without a change after which a chart is drawn."""
_WATCH = Path(__file__).with_name("watch.js")
_PATIENCE = 120_000


class Frames(NamedTuple):
    """What was seen while a page scrolled."""

    intervals: tuple[float, ...]
    """Milliseconds between frames of the page's own thread."""
    busy: float
    """Milliseconds of tasks longer than 50."""

    @property
    def p95(self) -> float:
        """Of the intervals."""
        return sorted(self.intervals)[int(len(self.intervals) * 0.95)]

    @property
    def late(self) -> float:
        """Percent of the frames that came later than 60 a second allow."""
        return 100 * sum(each > 17.5 for each in self.intervals) / len(self.intervals)


class Memory(NamedTuple):
    """MB."""

    heap: float
    """Of JavaScript's objects that are in use."""
    renderer: float
    """Of the process that draws the page, with its share of what processes share (PSS)."""


class Watched:
    """One page of a browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(_PATIENCE)

    def opened(self, address: str, shown: str) -> float:
        """Milliseconds from going to an address until a condition holds, in JavaScript, in a frame that is painted."""
        self._go(address)
        return float(self.page.evaluate(f"watch.until(() => {shown})"))

    def drawn(self, address: str, shown: str) -> float:
        """Milliseconds from going to an address until its charts do not change any more."""
        self._go(address)
        return self.settled(shown)

    def after(self, event: str, act: Callable[[], object], shown: str) -> float:
        """Milliseconds from an event, which `act` brings about, until a condition holds that did not hold before."""
        if self.page.evaluate(f"Boolean({shown})"):
            raise RuntimeError(f"already shown: {shown}")
        self.page.evaluate(f"watch.from('{event}')")
        act()
        return float(self.page.evaluate(f"watch.until(() => {shown})"))

    def redrawn(self, event: str, act: Callable[[], object], shown: str, answers: int) -> float:
        """Milliseconds from an event until charts do not change any more, with so many answers of the server."""
        self.page.evaluate(f"watch.from('{event}')")
        act()
        return self.settled(shown, answers)

    def settled(self, shown: str, answers: int = 0) -> float:
        """Milliseconds from the beginning until charts do not change any more."""
        return float(self.page.evaluate(f"watch.settled(() => {shown}, {answers}, {QUIET})"))

    def first_change(self) -> float:
        """Milliseconds from the last event that was waited for until anything was drawn again."""
        return float(self.page.evaluate("watch.first - watch.began"))

    def scrolled(self, x: float, y: float, pixels: int, speed: int) -> Frames:
        """The frames while the wheel moves what is at a place by so many pixels, `speed` a second."""
        self.page.evaluate("watch.count()")
        gesture = {"x": x, "y": y, "yDistance": -pixels, "speed": speed, "gestureSourceType": "mouse"}
        self._command("Input.synthesizeScrollGesture", gesture)
        found = self.page.evaluate("watch.counted()")
        times = found["frames"]
        between = tuple(later - sooner for sooner, later in pairwise(times))
        return Frames(between, sum(found["tasks"]))

    def memory(self) -> Memory:
        """Once garbage is collected."""
        self._command("HeapProfiler.collectGarbage")
        heap = float(self._command("Runtime.getHeapUsage")["usedSize"])
        browser = self.page.context.browser
        assert browser is not None
        session = browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        return Memory(heap / 1e6, max(_held(each["id"]) for each in processes if each["type"] == "renderer"))

    def _go(self, address: str) -> None:
        self.page.goto("about:blank")  # another fragment alone would not load a page
        self.page.goto(address, wait_until="commit")

    def _command(self, name: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        session = self.page.context.new_cdp_session(self.page)
        try:
            return dict(session.send(name, values or {}))
        finally:
            session.detach()


@contextmanager
def watched(browser: Browser) -> Iterator[Watched]:
    """A page of a new context: nothing is cached or remembered."""
    context: BrowserContext = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.add_init_script(path=_WATCH)
    try:
        yield Watched(context.new_page())
    finally:
        context.close()


def _held(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6
