"""How long a project of a git server takes to run: `projrun run` beside `mlflow run`, cold and warm.

Usage: python -m benchmarks.sources [--fetches N] [--runs N] [--json]
"""

from __future__ import annotations

import argparse
import os
import shutil
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

from benchmarks.report import print_report
from benchmarks.sides import Side, base_environment, install_projrun
from benchmarks.targets import Target
from benchmarks.timing import medians, progress, seconds, take_turns
from tests.sources.git_servers import GitServer, serving
from tests.support.guard import PACKAGE_CACHE
from tests.support.long_history import LongHistory, long_history
from tests.support.virtualenvs import MLFLOW3, built_environment

TARGETS = (
    Target("mlflow run, branch, cold", "projrun run, branch, cold", 1),
    Target("mlflow run, commit, cold", "projrun run, commit, cold", 1),
    Target("mlflow run, branch, warm", "projrun run, branch, warm", 20),
    Target("mlflow run, commit, warm", "projrun run, commit, warm", 20),
)


class Workplace(NamedTuple):
    """The installations and the repository that all sides share."""

    folder: Path
    projrun: Path
    mlflow: Path
    url: str
    history: LongHistory
    environ: Mapping[str, str]

    @property
    def cache(self) -> Path:
        """What projrun keeps of sources: mlflow keeps nothing."""
        return self.folder / "projrun-home" / "cache"


@contextmanager
def prepare(folder: Path) -> Iterator[Workplace]:
    """Install the sides and serve the repository with the long history by `git http-backend` on loopback."""
    history = long_history(os.environ)
    served = folder / "served"
    served.mkdir()
    (served / "long.git").symlink_to(history.path)
    bare = built_environment("bare", ())
    environ = base_environment(bare, folder / "home")
    server = GitServer(served, {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    mlflow, projrun = built_environment("mlflow3", MLFLOW3), install_projrun(folder)
    with serving(server):
        yield Workplace(folder, projrun, mlflow, server.url("long.git"), history, environ)


def sides(place: Workplace) -> list[Side]:
    """Both runners on the newest commit of a branch, and on that commit by its full hash."""
    projrun = {**place.environ, "PROJRUN_HOME": str(place.folder / "projrun-home")}
    mlflow = {
        **place.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{place.folder / 'mlflow.db'}",
        "TMPDIR": str(place.folder),  # where it leaves its checkouts
    }
    versions = {"branch": "main", "commit": place.history.tip}
    return [
        Side(f"{name} run, {kind}", _run(python, name, place.url, version), environ)
        for kind, version in versions.items()
        for name, python, environ in (("projrun", place.projrun, projrun), ("mlflow", place.mlflow, mlflow))
    ]


def _run(python: Path, name: str, url: str, version: str) -> tuple[str, ...]:
    return (str(python.parent / name), "run", url, "--version", version, "--env-manager=local")


def fetch(place: Workplace, fetches: int) -> dict[str, list[float]]:
    """Seconds of runs that find nothing cached, taking turns; and of a bare clone of depth 1."""
    clone = place.folder / "clone"
    bare = Side("git clone --depth 1", ("git", "clone", "--depth=1", place.url, str(clone)), place.environ)
    cold = [bare, *(side._replace(name=f"{side.name}, cold") for side in sides(place))]
    times: dict[str, list[float]] = {side.name: [] for side in cold}
    for turn in range(fetches + 1):
        progress(f"fetch {turn} of {fetches}")
        first = turn % len(cold)
        for side in (*cold[first:], *cold[:first]):
            shutil.rmtree(place.cache, ignore_errors=True)
            shutil.rmtree(clone, ignore_errors=True)
            took = seconds(side, place.folder)
            if turn:  # the one before the first makes the stores
                times[side.name].append(took)
    return times


def run(place: Workplace, runs: int) -> dict[str, list[float]]:
    """Seconds of runs of a source that was fetched before."""
    warm = [side._replace(name=f"{side.name}, warm") for side in sides(place)]
    return take_turns(warm, runs, place.folder, progress)


def measure(fetches: int, runs: int) -> dict[str, float]:
    """Medians in milliseconds, by side."""
    PACKAGE_CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=PACKAGE_CACHE) as temporary:
        progress("installing every side")
        with prepare(Path(temporary)) as place:
            return medians({**fetch(place, fetches), **run(place, runs)})


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time projects of a git server beside `mlflow run`.")
    parser.add_argument("--fetches", type=int, default=5, help="cold runs of each side (default: 5)")
    parser.add_argument("--runs", type=int, default=7, help="warm runs of each side (default: 7)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if min(options.fetches, options.runs) < 1:
        parser.error("--fetches and --runs: at least 1")
    milliseconds = measure(options.fetches, options.runs)
    title = (
        f"1,000 commits, 200 MB of history, a tip of 1.6 MB: median of {options.fetches} cold and {options.runs} "
        "warm runs"
    )
    print_report(title, milliseconds, TARGETS, as_json=options.json)


if __name__ == "__main__":
    main()
