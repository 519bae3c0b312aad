"""What `projrun models serve` takes beside `mlflow models serve`, with one model in one environment.

Usage: scripts/bench serving [--quick] [--json]

Each has one worker. All run at the same time and are asked in turns. Linux only: CPU and memory are read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TypeVar

if __package__ in (
    None,
    "",
):  # run as a file: the packages beside this folder, and no module in it, are importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.asking import at_once, body, one_by_one, request
from benchmarks.goals import Goal
from benchmarks.served import Kept, Served, process_tree, serving
from benchmarks.timing import progress
from tests.support.virtualenvs import MLFLOW3, built_environment

OURS, BATCHED, MLFLOW = "projrun", "projrun --max-batch", "mlflow"
CLIENTS = 8
FIRST, ONE, TAIL, CPU = "start to first answer, s", "one row, p50 ms", "one row, p95 ms", "one row, ms of CPU"
RATE, RATE_CPU = f"answers a second, {CLIENTS} clients", f"ms of CPU an answer, {CLIENTS} clients"
MANY, MEMORY = "1,000 rows, p50 ms", "memory, MB"
ROWS = (FIRST, ONE, TAIL, CPU, RATE, RATE_CPU, MANY, MEMORY)
HERE = Path(__file__).parent
Element = TypeVar("Element")


class Sizes(NamedTuple):
    """How much is asked."""

    turns: int
    starts: int
    calls: int
    """With one row, a turn."""
    large: int
    """With a thousand rows, a turn."""
    seconds: float
    """With several clients, a turn."""


class Percentiles(NamedTuple):
    """Of what calls took, in milliseconds."""

    p50: float
    p95: float


Table = dict[str, dict[str, float]]
"""By row and server: what the best turn took."""


def compare(sizes: Sizes, folder: Path) -> tuple[Table, Percentiles]:
    """The table, and what a call takes without a server."""
    python, model = built_environment("mlflow3", MLFLOW3), folder / "model"
    progress("saving the model")
    subprocess.run(
        [python, HERE / "saved_model.py", model], input=body(1000), check=True, capture_output=True
    )
    kept = servers(python, model, folder)
    turns: dict[str, dict[str, list[float]]] = {row: {each.name: [] for each in kept} for row in ROWS}
    for turn in range(sizes.starts):
        for each in in_turn(kept, turn):
            progress(f"starting {each.name}")
            with serving(each, folder, first_answer) as served:
                turns[FIRST][each.name].append(served.healthy_after)
    bare = []
    with ExitStack() as stack:
        started = [stack.enter_context(serving(each, folder, first_answer)) for each in kept]
        for turn in range(sizes.turns):
            for served in in_turn(started, turn):
                progress(f"turn {turn + 1} of {sizes.turns}, {served.name}")
                for row, value in measured(served, sizes):
                    turns[row][served.name].append(value)
            bare.append(bare_call(python, model, sizes.calls))
    best = {row: max if row == RATE else min for row in ROWS}
    table = {row: {name: best[row](found) for name, found in by.items()} for row, by in turns.items()}
    return table, min(bare)


def servers(python: Path, model: Path, folder: Path) -> list[Kept]:
    """What is compared; the environment is there already."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"MLFLOW_DISABLE_TELEMETRY": "true"}
    own = environ | {"HOME": str(folder), "PROJRUN_HOME": str(folder / "home")}
    ours = [sys.executable, "-m", "projrun", "models", "serve", "-m", str(model)]
    ours += ["--env", str(python.parent.parent)]
    theirs = [
        str(python),
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        str(model),
        "--env-manager",
        "local",
        "-p",
    ]
    # It starts the `uvicorn` that is first on the path.
    environ["PATH"] = f"{python.parent}{os.pathsep}{environ['PATH']}"
    return [
        Kept(OURS, [*ours, "-p"], own, "", "projrun"),
        Kept(BATCHED, [*ours, "--max-batch", "64", "-p"], own, "", "projrun"),
        Kept(MLFLOW, theirs, environ, "", "mlflow"),
    ]


def first_answer(port: int) -> None:
    """Ask once. Raises OSError or RuntimeError where there is no prediction yet."""
    one_by_one(port, request(body(1)), 0)


def in_turn(elements: Sequence[Element], turn: int) -> Sequence[Element]:
    """The order moves by one each turn, so that none is always first."""
    first = turn % len(elements)
    return (*elements[first:], *elements[:first])


def measured(served: Served, sizes: Sizes) -> Iterator[tuple[str, float]]:
    """What a server takes in one turn."""
    before = served.cpu()
    took = one_by_one(served.port, request(body(1)), sizes.calls)
    yield CPU, (served.cpu() - before) * 1000 / (sizes.calls + 1)
    one = percentiles(took)
    yield from ((ONE, one.p50), (TAIL, one.p95))
    requests = [request(body(1, seed)) for seed in range(CLIENTS)]
    before = served.cpu()
    answers = at_once(served.port, requests, sizes.seconds)
    yield from ((RATE, answers / sizes.seconds), (RATE_CPU, (served.cpu() - before) * 1000 / answers))
    yield MANY, percentiles(one_by_one(served.port, request(body(1000)), sizes.large)).p50
    yield MEMORY, memory(served.pid)


def memory(pid: int) -> float:
    """MB that the processes of a server hold; what several share counts once (PSS)."""
    held = 0
    for each in process_tree(pid):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        held += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return held * 1024 / 1e6


def bare_call(python: Path, model: Path, calls: int) -> Percentiles:
    """Parsing one row, the model's call and writing its answer, in a process of their own."""
    command = [str(python), str(HERE / "bare_model.py"), str(model), str(calls)]
    done = subprocess.run(command, input=body(1), check=True, capture_output=True)
    return percentiles(json.loads(done.stdout))


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """In milliseconds."""
    ordered = sorted(seconds)
    return Percentiles(ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.95)] * 1000)


def goals(table: Table, bare: Percentiles) -> Iterator[Goal]:
    """What is to be reached."""
    yield Goal("ms over the bare call, p50", table[ONE][OURS] - bare.p50, 1)
    yield Goal("ms over the bare call, p95", table[TAIL][OURS] - bare.p95, 1)
    for name in (OURS, BATCHED):
        yield Goal(
            f"times mlflow's {RATE}, {name}", table[RATE][name] / table[RATE][MLFLOW], 5, at_least=True
        )
    yield Goal("of mlflow's start", table[FIRST][OURS] / table[FIRST][MLFLOW], 0.5)
    yield Goal("of mlflow's memory", table[MEMORY][OURS] / table[MEMORY][MLFLOW], 1)
    yield Goal("of mlflow's time for 1,000 rows", table[MANY][OURS] / table[MANY][MLFLOW], 1)


def printed(table: Table, bare: Percentiles) -> str:
    """For people; in brackets, how many times ours."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    names = list(table[ONE])
    lines = [f"scoring servers, Python {platform.python_version()}, {os.cpu_count()} CPUs, load {load}", ""]
    lines.append(f"{'best turn':36}" + "".join(f"{name:>24}" for name in names))
    for row, found in table.items():
        cells = [f"{found[name]:.2f} (x{found[name] / found[OURS]:.2f})" for name in names]
        lines.append(f"{row:36}" + "".join(f"{cell:>24}" for cell in cells))
    lines += [
        "",
        f"the model's call with parsing, without a server: p50 {bare.p50:.2f} ms, p95 {bare.p95:.2f} ms",
    ]
    return "\n".join([*lines, "", "goals", *(goal.line() for goal in goals(table, bare))])


def document(table: Table, bare: Percentiles) -> Mapping[str, object]:
    """For programs."""
    reached = [goal._asdict() | {"reached": goal.reached} for goal in goals(table, bare)]
    return {"rows": table, "bare": bare._asdict(), "goals": reached}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two short turns")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    sizes = Sizes(2, 1, 200, 20, 1.0) if given.quick else Sizes(7, 5, 500, 50, 3.0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end too
    with tempfile.TemporaryDirectory(prefix="projrun-benchmark-") as folder:
        table, bare = compare(sizes, Path(folder))
    print(json.dumps(document(table, bare), indent=2) if given.json else printed(table, bare))


if __name__ == "__main__":
    main()
