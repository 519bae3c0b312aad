"""What logging costs a script: `projrun.log` beside mlflow, mlflow-skinny, trackio and wandb, each in an environment.

Usage: scripts/bench logging [--turns N] [--points N] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # run as a file: this folder would hide Python's logging
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.goals import Goal
from benchmarks.sides import SKINNY, base_environment, install_projrun
from benchmarks.timing import progress
from tests.support.virtualenvs import MLFLOW3, built_environment

OURS = "projrun.log"
IMPORT, CALL, RATE, SCRIPT = "import, ms of CPU", "a call, µs", "points a second", "script, s of CPU"
ROWS = (IMPORT, CALL, RATE, SCRIPT)
BARE = "bare python"

_TEMPLATE = """
import json, sys, time
{begin}
count = int(sys.argv[1])
began, cpu = time.perf_counter(), time.thread_time()
for step in range(count):
    {call}
cpu = time.thread_time() - cpu
{end}
print(json.dumps({{"call": cpu / count * 1e6, "rate": count / (time.perf_counter() - began)}}))
{check}
"""


class Client(NamedTuple):
    """A way to log, and the lines of a script that does."""

    name: str
    module: str
    environment: str
    """Its name among those that are kept; projrun's is made new."""
    requirements: tuple[str, ...]
    begin: str
    call: str
    end: str
    environ: Mapping[str, str] = {}
    share: int = 1
    """It logs the points divided by this: all of them would take it many minutes."""
    check: str = ""


class Side(NamedTuple):
    """A client that is installed."""

    client: Client
    python: Path
    environ: Mapping[str, str]
    script: Path


def _clients(folder: Path) -> Iterator[Client]:
    start = "run = log.start_run(); run.info.run_id"
    call = 'log.log_metric("loss", step / 7, step=step)'
    yield Client(
        OURS, "projrun.log", "", (), f"import projrun.log as log; {start}", call, "log.end_run(); log.flush()",
        {"PROJRUN_HOME": str(folder / "projrun-home")},
        check='assert log.get_run(run.info.run_id).data.metrics["loss"] == step / 7',
    )  # fmt: skip
    mlflow = f"import mlflow as log; {start}"
    sqlite = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}
    # mlflow-skinny comes without SQLAlchemy: files are the only local store that it has.
    files = {"MLFLOW_TRACKING_URI": (folder / "mlruns").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    yield Client("mlflow", "mlflow", "mlflow3", MLFLOW3, mlflow, call, "log.end_run()", sqlite, share=200)
    yield Client(
        "mlflow-skinny", "mlflow", "mlflow-skinny3", SKINNY, mlflow, call, "log.end_run()", files, share=50
    )
    yield Client(
        "trackio", "trackio", "trackio", ("trackio",), 'import trackio as log; log.init(project="loss")',
        'log.log({"loss": step / 7}, step=step)', "log.finish()",
        {"TRACKIO_DIR": str(folder / "trackio"), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    yield Client(
        "wandb offline", "wandb", "wandb", ("wandb",),
        f'import wandb; log = wandb.init(project="loss", mode="offline", dir={str(folder)!r})',
        'log.log({"loss": step / 7}, step=step)', "log.finish()", {"WANDB_SILENT": "true"}, share=5,
    )  # fmt: skip


def install(folder: Path, only: Sequence[str]) -> Iterator[Side]:
    """Those of these names, or all, that can be installed; of others it is said why not."""
    for client in _clients(folder):
        if only and client.name not in (OURS, *only):
            continue
        progress(f"installing {client.name}")
        try:
            python = (
                built_environment(client.environment, client.requirements)
                if client.environment
                else install_projrun(folder)
            )
        except RuntimeError as error:
            print(f"left out: {client.name}: {error}", file=sys.stderr)
            continue
        script = folder / f"log-with-{client.name.replace(' ', '-')}.py"
        script.write_text(_TEMPLATE.format(**client._asdict()), encoding="utf-8")
        yield Side(client, python, {**base_environment(python, folder / "home"), **client.environ}, script)


def measure(sides: Sequence[Side], turns: int, points: int) -> dict[str, dict[str, float]]:
    """By side and row, the best of the turns, in which each side has one: others may use the machine, too."""
    found: dict[str, dict[str, list[float]]] = {}
    for turn in range(turns):
        progress(f"turn {turn + 1} of {turns}")
        for side in sides:
            taken = found.setdefault(side.client.name, {row: [] for row in ROWS})
            for row, value in _turn(side, points).items():
                taken[row].append(value)
    return {
        name: {row: max(values) if row == RATE else min(values) for row, values in rows.items()}
        for name, rows in found.items()
    }


def _turn(side: Side, points: int) -> dict[str, float]:
    importing = min(_cpu(side, "-c", f"import {side.client.module}")[0] for _ in range(5))
    bare = min(_cpu(side, "-c", "pass")[0] for _ in range(5))
    spent, printed = _cpu(side, str(side.script), str(max(1, points // side.client.share)))
    said = json.loads(printed.splitlines()[-1])
    return {IMPORT: (importing - bare) * 1000, CALL: said["call"], RATE: said["rate"], SCRIPT: spent}


def bare_start(side: Side) -> float:
    """Milliseconds of CPU of an interpreter that does nothing."""
    return min(_cpu(side, "-c", "pass")[0] for _ in range(30)) * 1000


def _cpu(side: Side, *words: str) -> tuple[float, str]:
    """The CPU in seconds of a process and of those that it waited for, and what it printed. Raises RuntimeError."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [side.python, *words], cwd=side.script.parent, env=dict(side.environ), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{side.client.name}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def goals(table: Mapping[str, Mapping[str, float]], bare: float) -> list[Goal]:
    """What `projrun.log` has to reach."""
    ours = table[OURS]
    return [
        Goal("import, times a bare python start", ours[IMPORT] / bare, 1),
        Goal("a call, µs of CPU", ours[CALL], 1),
        Goal("points a second, end to end", ours[RATE], 50_000, at_least=True),
    ]


def report(table: Mapping[str, Mapping[str, float]], bare: float, points: int, turns: int) -> str:
    """For people."""
    load = os.getloadavg()[0]
    lines = [
        f"best of {turns} turns, {points:,} points, Python {platform.python_version()}, load {load:.1f}",
        "",
    ]
    lines.append(f"{'':16}" + "".join(f"{row:>20}" for row in ROWS))
    lines += [f"{name:16}" + "".join(f"{found[row]:20,.1f}" for row in ROWS) for name, found in table.items()]
    lines += [f"{BARE:16}{bare:20,.1f}", "", "goals", *(goal.line() for goal in goals(table, bare))]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time what logging costs a script, beside other clients.")
    parser.add_argument(
        "--turns", type=int, default=5, help="of each client, of which the best counts (default: 5)"
    )
    parser.add_argument(
        "--points", type=int, default=50_000, help="of projrun.log and trackio (default: 50,000)"
    )
    parser.add_argument("--only", default="", help="names of clients, separated by commas")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="projrun-benchmark-") as temporary:
        sides = list(install(Path(temporary), [name for name in options.only.split(",") if name]))
        bare = bare_start(sides[0])
        table = measure(sides, options.turns, options.points)
    if options.json:
        reached = {goal.name: goal.reached for goal in goals(table, bare)}
        print(
            json.dumps(
                {"clients": table, "bare_python_ms": bare, "points": options.points, "goals": reached},
                indent=2,
            )
        )
    else:
        print(report(table, bare, options.points, options.turns))


if __name__ == "__main__":
    main()
