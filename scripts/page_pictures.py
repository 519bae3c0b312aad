"""Take docs/images/page-*.png: the page in Chromium, over what two example projects really record."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
WINE, STEPS = "sklearn_elasticnet_wine", "multistep"
PICTURES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
WIDTH = 1280
SOMEONE = "/home/ann"
GRID = [(alpha, ratio) for alpha in ("0.01", "0.1", "0.5") for ratio in ("0.1", "0.5", "0.9")]


def record(home: str, environ: dict[str, str]) -> None:
    """A grid of the elastic net and a value that it refuses; the chain of steps with more and more noise."""
    projects = commit(Path(home, "examples"), environ)
    for alpha, ratio in (*GRID, ("0.1", "2")):
        words = (
            "--experiment-name",
            "wine",
            "--env-manager=uv",
            "-P",
            f"alpha={alpha}",
            "-P",
            f"l1_ratio={ratio}",
        )
        call(environ, "projrun", "run", str(projects / WINE), *words, fails=ratio == "2")
    for noise in ("0.1", "0.5", "2"):
        words = (
            "--experiment-name",
            "multistep",
            "--env-manager=local",
            "-P",
            "rows=500",
            "-P",
            f"noise={noise}",
        )
        call(environ, "projrun", "run", str(projects / STEPS), "--run-name", f"noise {noise}", *words)


def commit(folder: Path, environ: dict[str, str]) -> Path:
    """The projects in a repository of their own, as someone has them."""
    for name in (WINE, STEPS):
        shutil.copytree(
            ROOT / "example_projects" / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / ".gitignore").write_text("__pycache__/\n")
    git = ("git", "-C", str(folder), "-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    call(environ, *git, "init", "-q", "-b", "main")
    call(environ, *git, "add", ".")
    call(environ, *git, "commit", "-q", "-m", "Add the examples")
    return folder


def call(environ: dict[str, str], *words: str, fails: bool = False) -> None:
    """Run a command; exits where it does not end as it should."""
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    if bool(done.returncode) != fails:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


@contextmanager
def served(environ: dict[str, str]) -> Iterator[str]:
    """The address of a server over the store in that home."""
    words = ["projrun", "server", "--port", "0"]
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = next(
                filter(None, (re.search(r"http://\S+:\d+", line) for line in process.stdout or ())), None
            )
            if found is None:
                sys.exit(f"{' '.join(words)}: it does not say where it listens")
            yield found[0]
        finally:
            process.terminate()


def take(page: Page, address: str, home: str) -> None:
    """Both pictures."""
    page.goto(f"{address}/experiments")
    page.get_by_role("link", name="wine", exact=True).click()
    page.get_by_role("button", name="rmse", exact=True).click()
    page.locator(".grid-body .grid-row").nth(len(GRID)).wait_for()
    for best in range(3):
        page.locator(".grid-body [type=checkbox]").nth(best).check()
    keep(page, "page-runs", home, height=576)
    page.goto(f"{address}/experiments")
    page.get_by_role("link", name="multistep", exact=True).click()
    page.get_by_role("link", name="noise 0.5").click()
    page.get_by_label("Child runs").wait_for()
    keep(page, "page-run", home, height=640)


def keep(page: Page, name: str, home: str, *, height: int) -> None:
    """A picture of what is shown, once nothing more is loaded."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.mouse.move(1, 1)
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """([found, shown]) => {
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(found, shown);
        }""",
        [home, SOMEONE],
    )
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


def main(home: str) -> None:
    """Record with the projrun beside this Python, then look."""
    environ = {
        "HOME": home,
        "PROJRUN_HOME": f"{home}/projrun",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "LOGNAME": "ann",
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(ROOT / ".cache" / "uv")),
    }
    if not Path(home, "projrun").exists():
        record(home, environ)
    with sync_playwright() as playwright, served(environ) as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        take(browser.new_page(color_scheme="light", reduced_motion="reduce"), address, home)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(folder)
