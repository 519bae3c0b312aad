"""MLflow's own page in a browser, with a server behind: run in an environment that has playwright.

Usage: page_script.py SERVER BUILD, and on stdin a list of [path after `#`, what must appear, what to click on]. That is
texts, and selectors after `css:`. Prints what did not appear, and every answer of the server but those from 200 to 299.
"""

import json
import sys
import time
from pathlib import Path

from playwright.sync_api import Error, Page, Route, sync_playwright

server, build = sys.argv[1], Path(sys.argv[2])
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
)


def serve(route: Route) -> None:
    """The page and its files from MLflow's wheel, all else from the server."""
    path = route.request.url.removeprefix(server).partition("?")[0].partition("#")[0]
    if path in ("", "/"):
        route.fulfill(path=build / "index.html", content_type="text/html")
    elif path.startswith("/static-files/"):
        route.fulfill(path=build / path.removeprefix("/static-files/"))
    elif route.request.url.startswith(server):
        route.continue_()
    else:
        route.abort()  # no other server is asked


def shown(page: Page, texts: list[str], seconds: float = 40) -> list[str]:
    """The texts that do not appear within some time."""
    deadline = time.monotonic() + seconds
    missing = texts
    while missing and time.monotonic() < deadline:
        page.wait_for_timeout(200)
        try:
            text = page.locator("body").inner_text()
            missing = [each for each in texts if not appears(page, each, text)]
        except Error:  # while it goes to another place
            continue
    return missing


def appears(page: Page, wanted: str, text: str) -> bool:
    """Whether a text or a selector is on the page."""
    selector = wanted.removeprefix("css:")
    return wanted in text if selector == wanted else page.locator(selector).count() > 0


def main() -> None:
    failed: list[str] = []
    answers = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=SWITCHES.split())
        page = browser.new_page(viewport={"width": 1600, "height": 1200})
        page.route("**/*", serve)
        page.on(
            "response",
            lambda answer: (
                failed.append(f"{answer.request.method} {answer.status} {answer.url}")
                if answer.status >= 300
                else None
            ),
        )
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        for path, texts, clicks in json.load(sys.stdin):
            page.goto(f"{server}/#{path}")
            for click in clicks:
                page.get_by_text(click, exact=True).first.click(timeout=40_000)
            missing = shown(page, texts)
            answers[path] = {"missing": missing, "text": page.locator("body").inner_text() if missing else ""}
        # What was asked for last is answered, too.
        page.wait_for_timeout(500)
        browser.close()
    print(json.dumps({"places": answers, "failed": failed, "errors": errors}))


main()
