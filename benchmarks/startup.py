"""How long `projrun run` takes beside `mlflow run` and the bare command, on the quickstart project.

Usage: scripts/bench [--runs N] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (
    None,
    "",
):  # run as a file: the packages beside this folder, and no module in it, are importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.sides import Installations, install, local_sides, server_sides, version_sides
from benchmarks.targets import Target, mark_of, target_line
from benchmarks.timing import InstalledSize, installed_size, medians, progress, take_turns
from tests.support.servers import mlflow_server

TARGETS = (
    Target("projrun run", "bare command", 7, at_least=False),
    Target("mlflow run (mlflow)", "projrun run", 35),
    Target("mlflow run (mlflow-skinny)", "projrun run", 11),
    Target("mlflow run (mlflow), REST server", "projrun run, REST server", 12),
    Target("projrun version", "bare python", 4, at_least=False),
)
SIZE_TARGET = 55.0


class Report(NamedTuple):
    """What was measured."""

    runs: int
    milliseconds: Mapping[str, float]
    size: InstalledSize


def measure(runs: int) -> Report:
    """Build every side, then time them."""
    with tempfile.TemporaryDirectory(prefix="projrun-benchmark-") as temporary:
        folder = Path(temporary)
        progress("installing every side")
        installed = install(folder)
        times = take_turns(local_sides(installed, folder), runs, folder, progress)
        times |= take_turns(version_sides(installed, folder), runs, folder, progress)
        times |= _with_server(installed, runs, folder)
        return Report(runs, medians(times), installed_size(installed.projrun))


def _with_server(installed: Installations, runs: int, folder: Path) -> dict[str, list[float]]:
    progress("starting mlflow server")
    with mlflow_server(installed.mlflow, folder / "server") as uri:
        return take_turns(server_sides(installed, folder, uri), runs, folder, progress)


def table(report: Report) -> str:
    """The report for people."""
    bare = report.milliseconds["bare command"]
    lines = [f"median of {report.runs} runs, Python {platform.python_version()}, {platform.platform()}", ""]
    lines += [f"{'':42}{'ms':>9}{'x bare':>9}"]
    lines += [f"{name:42}{took:9.1f}{took / bare:9.1f}" for name, took in report.milliseconds.items()]
    lines += ["", "targets"]
    lines += [target_line(target, report.milliseconds) for target in TARGETS]
    mark = mark_of(report.size.files < SIZE_TARGET)
    lines.append(
        f"  {mark} installed size {report.size.files:.1f} MB of files"
        f" ({report.size.blocks:.1f} MB of disk blocks), target under {SIZE_TARGET:.0f} MB"
    )
    return "\n".join(lines)


def document(report: Report) -> dict[str, object]:
    """The report for programs."""
    return {
        "runs": report.runs,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "milliseconds": dict(report.milliseconds),
        "ratios": [target.document(report.milliseconds) for target in TARGETS],
        "installed_megabytes": report.size.files,
        "installed_megabytes_of_blocks": report.size.blocks,
        "installed_megabytes_target": SIZE_TARGET,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description="Time `projrun run` beside `mlflow run` and the bare command."
    )
    parser.add_argument("--runs", type=int, default=15, help="processes of each side (default: 15)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs: at least 1")
    report = measure(options.runs)
    print(json.dumps(document(report), indent=2) if options.json else table(report))


if __name__ == "__main__":
    main()
