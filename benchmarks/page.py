"""The page of `projrun server` beside that of `mlflow server`, in Chromium: first rows, filter, sort, scroll, curves.

Usage: scripts/bench page [--quick] [--repeats N] [--alone] [--shared] [--stores FOLDER] [--json]

Linux only: the memory of a browser is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

if __package__ in (
    None,
    "",
):  # run as a file: the packages beside this folder, and no module in it, are importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from playwright.sync_api import Browser

from benchmarks.goals import OURS, Goal
from benchmarks.looking import Watched, watched
from benchmarks.many_runs import Shape, fill, fill_mlflow, name_of
from benchmarks.page_goals import goals
from benchmarks.pages import Columns, Ours, Shown, Theirs
from benchmarks.served import Client, mlflow_on_sqlite, projrun_on_sqlite, serving
from benchmarks.timing import progress
from tests.support.browser import chromium

METRIC = "metric_000"
FILTER = "params.param_000 = '0.03' AND metrics.metric_001 > 1.5 AND attributes.run_name LIKE '%-run-1%'"
"""None of the newest runs, which are shown before."""
SLOW, FAST = 1_000, 10_000
"""Pixels a second that are scrolled, for three seconds: 31 and 310 rows a second."""
Figures = dict[str, float]


class Part(NamedTuple):
    """Something to look at, with what it is filled with."""

    name: str
    shape: Shape
    curves: bool = False
    speed: int = SLOW


def parts(quick: bool) -> tuple[list[Part], list[Part]]:
    """What both pages show, and what ours shows alone."""
    many, few = (1_000, 10) if quick else (10_000, 50)
    large, long = (10_000, 10_000) if quick else (100_000, 100_000)
    both = [
        Part(f"{many:,} runs x 50 columns", Shape(many, 25, 25)),
        Part(f"{few} curves of 10,000 points", Shape(few, 1, 1, points=10_000), curves=True),
    ]
    ours = [
        Part(f"{large:,} runs x 50 columns", Shape(large, 25, 25), speed=FAST),
        Part(f"{large // 20:,} runs x 1,000 columns", Shape(large // 20, 500, 500), speed=FAST),
        Part(f"{few * 2} curves of {long:,} points", Shape(few * 2, 1, 1, points=long), curves=True),
    ]
    return both, ours


def table_figures(
    browser: Browser, shown: Shown, client: Client, experiment: str, part: Part
) -> Iterator[Figures]:
    """What one look at a table takes, in a browser that has nothing of the page."""
    first = name_of(part.shape.runs - 1)
    filtered = _top(client, experiment, FILTER, "attributes.start_time DESC")
    greatest = _top(client, experiment, "", f"metrics.{METRIC} DESC")
    with watched(browser) as look:
        page, columns = look.page, _columns(part.shape)
        address = shown.table(experiment, columns)
        yield {"first rows, nothing cached, ms": look.opened(address, _row(first))}
        shown.choose(page, columns)
        yield {"first rows, ms": look.opened(address, _row(first))}
        box = shown.rows(page).bounding_box()
        assert box is not None
        page.wait_for_timeout(500)
        frames = look.scrolled(box["x"] + 200, box["y"] + 200, 3 * part.speed, part.speed)
        yield {"scroll, p95 of frames, ms": frames.p95, "scroll, late frames, %": frames.late}
        yield {"scroll, long tasks, ms": frames.busy}
        look.opened(address, _row(first))
        yield {"sort, ms": look.after("click", lambda: shown.sort(page, METRIC), _row(greatest))}
        look.opened(address, _row(first))
        shown.filter_box(page).click()
        page.keyboard.type(FILTER)
        yield {"filter, ms": look.after("keydown", lambda: page.keyboard.press("Enter"), _row(filtered))}
        yield from _memory(look)


def curve_figures(
    browser: Browser, shown: Shown, client: Client, experiment: str, part: Part
) -> Iterator[Figures]:
    """What one look at a chart takes, in a browser that has the files of the page."""
    found = client.post("runs/search", experiment_ids=[experiment], max_results=part.shape.runs)["runs"]
    runs = [run["info"]["run_id"] for run in found]
    address, drawn = shown.curves(experiment, runs, METRIC), shown.lines(len(runs))
    with watched(browser) as look:
        look.page.goto(address)
        shown.show_all(look.page)
        look.settled(drawn)
        yield {"curves drawn, ms": look.drawn(address, drawn)}
        box = shown.chart(look.page).bounding_box()
        assert box is not None
        mouse, top = look.page.mouse, box["y"] + box["height"] / 2
        mouse.move(box["x"] + box["width"] * 0.4, top)
        mouse.down()
        mouse.move(box["x"] + box["width"] * 0.6, top, steps=5)
        detail = look.redrawn("mouseup", mouse.up, drawn, 1)
        yield {"zoom, ms": look.first_change(), "zoom, with detail, ms": detail}
        yield from _memory(look)


def _columns(shape: Shape) -> Columns:
    metrics = [f"metric_{number:03}" for number in range(shape.metrics)]
    return Columns(metrics, [f"param_{number:03}" for number in range(shape.params)])


def _memory(look: Watched) -> Iterator[Figures]:
    held = look.memory()
    yield {"memory of the page, MB": held.renderer, "of it JavaScript's heap, MB": held.heap}


def _row(name: str) -> str:
    return f"watch.row({json.dumps(name)})"


def _top(client: Client, experiment: str, filter_string: str, order: str) -> str:
    """The name of the run that comes first."""
    asked = {"experiment_ids": [experiment], "filter": filter_string, "order_by": [order], "max_results": 1}
    return str(client.post("runs/search", **asked)["runs"][0]["info"]["run_name"])


def medians(repeats: Sequence[Figures]) -> Figures:
    """Of each figure."""
    return {name: statistics.median(each[name] for each in repeats) for name in repeats[0]}


def ours(found: Sequence[Part], folder: Path, browser: Browser, repeats: int) -> dict[str, Figures]:
    """Figures of our page, by part."""
    database = folder / "projrun.db"
    for part in found:
        with _once(folder / f"projrun, {part.name}") as wanted:
            if wanted:
                fill(database, part.shape, part.name)
    with serving(projrun_on_sqlite(database, folder), folder) as served:
        return _looked(Ours(served), Client(served.port), found, browser, repeats)


def theirs(found: Sequence[Part], folder: Path, browser: Browser, repeats: int) -> dict[str, Figures]:
    """Figures of MLflow's page, by part."""
    database = folder / "mlflow.db"
    with serving(mlflow_on_sqlite(database, folder), folder) as served:
        client = Client(served.port)
        for part in found:
            with _once(folder / f"mlflow, {part.name}") as wanted:
                if wanted:
                    client.begin()
                    experiment = client.post("experiments/create", name=part.name)["experiment_id"]
                    fill_mlflow(database, part.shape, experiment)
        return _looked(Theirs(served), client, found, browser, repeats)


@contextmanager
def _once(done: Path) -> Iterator[bool]:
    """Whether a store is still to be filled; the next time it is not."""
    if not done.exists():
        progress(f"filling {done.name}")
    yield not done.exists()
    done.touch()


def _looked(
    shown: Shown, client: Client, found: Sequence[Part], browser: Browser, repeats: int
) -> dict[str, Figures]:
    figures = {}
    for part in found:
        client.begin()
        answer = client.get("experiments/get-by-name", experiment_name=part.name)
        experiment = answer["experiment"]["experiment_id"]
        looks = []
        for number in range(repeats):
            progress(f"{shown.name}, {part.name}, {number + 1} of {repeats}")
            look = curve_figures if part.curves else table_figures
            client.begin()
            pieces = look(browser, shown, client, experiment, part)
            looks.append(dict(item for piece in pieces for item in piece.items()))
        figures[part.name] = medians(looks)
    return figures


def printed(table: Mapping[str, Mapping[str, Figures]], reached: Sequence[Goal]) -> str:
    """For people: medians, and how many times ours the other takes."""
    lines = [
        f"Chromium, {platform.platform()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the end"
    ]
    for part, pages in table.items():
        lines += ["", f"{part:34}" + "".join(f"{name:>20}" for name in pages)]
        for row, mine in pages[OURS].items():
            cells = [
                f"{mine:.1f}",
                *(_beside(mine, pages[name].get(row)) for name in pages if name != OURS),
            ]
            lines.append(f"  {row:32}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join([*lines, "", "goals", *(goal.line() for goal in reached)])


def _beside(mine: float, other: float | None) -> str:
    return "-" if other is None else f"{other:.1f} x{other / mine:.1f}" if mine else f"{other:.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few runs, one look at each")
    parser.add_argument("--repeats", type=int, help="looks at each, of which the median counts (default: 5)")
    parser.add_argument("--alone", action="store_true", help="only what our page shows alone")
    parser.add_argument("--shared", action="store_true", help="only what both pages show")
    parser.add_argument(
        "--stores", type=Path, help="folder in which the filled stores are kept for the next time"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    both, alone = parts(options.quick)
    repeats = options.repeats or (1 if options.quick else 5)
    table: dict[str, dict[str, Figures]] = {}
    with tempfile.TemporaryDirectory() as temporary, chromium(Path(temporary)) as browser:
        stores = options.stores or Path(temporary)
        if not options.alone:
            folder = _folder(stores, "both")
            table = {part: {OURS: found} for part, found in ours(both, folder, browser, repeats).items()}
            for part, found in theirs(both, folder, browser, repeats).items():
                table[part]["mlflow"] = found
        if not options.shared:
            mine = ours(alone, _folder(stores, "alone"), browser, repeats)
            table |= {part: {OURS: found} for part, found in mine.items()}
    reached = list(goals(table))
    if options.json:
        document = {
            "figures": table,
            "goals": [{**goal._asdict(), "reached": goal.reached} for goal in reached],
        }
        print(json.dumps(document, indent=2))
    else:
        print(printed(table, reached))


def _folder(stores: Path, name: str) -> Path:
    folder = stores / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
