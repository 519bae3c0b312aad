"""How long environments take to build and to find again: `projrun run` beside `mlflow run` and bare uv.

Usage: python -m benchmarks.environments [--builds N] [--runs N] [--json]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
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

from benchmarks.report import print_report
from benchmarks.sides import Side, base_environment, install_projrun
from benchmarks.targets import Target
from benchmarks.timing import medians, progress, seconds, take_turns
from tests.support.guard import PACKAGE_CACHE
from tests.support.virtualenvs import BASE_PYTHON, MLFLOW3, built_environment, uv_executable

REQUIREMENTS = ("scikit-learn==1.7.2", "pandas==2.3.3")
TARGETS = (
    Target("mlflow run, uv, warm", "projrun run, uv, warm", 20),
    Target("projrun run, uv, cold", "uv venv + uv pip install, cold", 1.15, at_least=False),
)
_PASSED_ON = (
    "PIP_",
    "UV_",
    "SSL_",
    "HTTP_",
    "HTTPS_",
    "NO_PROXY",
    "http_",
    "https_",
    "no_proxy",
    "PYENV_ROOT",
)


class Bench(NamedTuple):
    """A side, and what has to go before its environment is built anew."""

    side: Side
    built: Path


class Workplace(NamedTuple):
    """The installations and the project that all sides share."""

    folder: Path
    projrun: Path
    mlflow: Path
    project: Path
    environ: Mapping[str, str]


def prepare(folder: Path) -> Workplace:
    """Install the sides, write the project, put the same uv and Python first on every side's PATH."""
    mlflow = built_environment("mlflow3", MLFLOW3)
    installed = install_projrun(folder)
    tools = folder / "tools"
    tools.mkdir()
    (tools / "uv").symlink_to(uv_executable())
    for name in ("python", "python3"):
        (tools / name).symlink_to(BASE_PYTHON)
    return Workplace(folder, installed, mlflow, _write_project(folder / "project"), _environ(folder, tools))


def _write_project(folder: Path) -> Path:
    folder.mkdir()
    wanted = "".join(f"  - {line}\n" for line in REQUIREMENTS)
    version = platform.python_version()
    files = {
        "MLproject": "name: bench\npython_env: python_env.yaml\n"
        "entry_points: {main: {command: \"python -c 'print(6 * 7)'\"}}\n",
        "python_env.yaml": f'python: "{version}"\nbuild_dependencies: [pip]\ndependencies:\n{wanted}',
        "requirements.txt": "".join(f"{line}\n" for line in ("pip", *REQUIREMENTS)),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _environ(folder: Path, tools: Path) -> dict[str, str]:
    base = base_environment(BASE_PYTHON, folder / "home")
    caches = {
        "UV_CACHE_DIR": str(PACKAGE_CACHE / "uv"),
        "PIP_CACHE_DIR": str(PACKAGE_CACHE / "pip"),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    passed = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    return {**base, **passed, **caches, "PATH": os.pathsep.join([str(tools), base["PATH"]])}


def benches(place: Workplace, manager: str) -> list[Bench]:
    """The sides that build with this tool, where this machine has what they need."""
    if manager == "uv":
        return [_uv(place), _projrun(place, "uv"), _mlflow(place, "uv")]
    pyenv = shutil.which("pyenv")
    if pyenv and str(BASE_PYTHON).startswith(os.environ.get("PYENV_ROOT", "/nowhere")):
        return [_projrun(place, "virtualenv"), _mlflow(place, "virtualenv", Path(pyenv).parent)]
    print("mlflow run with virtualenv needs pyenv and is left out", file=sys.stderr)
    return [_projrun(place, "virtualenv")]


def _projrun(place: Workplace, manager: str) -> Bench:
    home = place.folder / f"projrun-{manager}"
    argv = (str(place.projrun.parent / "projrun"), "run", str(place.project), f"--env-manager={manager}")
    environ = {**place.environ, "PROJRUN_HOME": str(home)}
    return Bench(Side(f"projrun run, {manager}", argv, environ), home / "cache")


def _mlflow(place: Workplace, manager: str, *more: Path) -> Bench:
    home = place.folder / f"mlflow-{manager}"
    home.mkdir()
    argv = (str(place.mlflow.parent / "mlflow"), "run", str(place.project), f"--env-manager={manager}")
    # mlflow looks for virtualenv on PATH.
    path = os.pathsep.join([place.environ["PATH"], *map(str, more), str(place.mlflow.parent)])
    environ = {**place.environ, "PATH": path, "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}"}
    built = home / "envs"
    return Bench(Side(f"mlflow run, {manager}", argv, environ | {"MLFLOW_ENV_ROOT": str(built)}), built)


def _uv(place: Workplace) -> Bench:
    built = place.folder / "bare"
    lines = (
        f"uv venv --quiet --python {BASE_PYTHON} {built}",
        f"uv pip install --quiet --python {built}/bin/python --compile-bytecode -r requirements.txt",
    )
    argv = ("sh", "-c", f"cd {place.project} && {' && '.join(lines)}")
    return Bench(Side("uv venv + uv pip install", argv, place.environ), built)


def build(sides: Sequence[Bench], builds: int, folder: Path) -> dict[str, list[float]]:
    """Seconds of builds from nothing with warm download caches, taking turns."""
    times: dict[str, list[float]] = {f"{bench.side.name}, cold": [] for bench in sides}
    for turn in range(builds + 1):
        progress(f"build {turn} of {builds}")
        first = turn % len(sides)
        for bench in (*sides[first:], *sides[:first]):
            shutil.rmtree(bench.built, ignore_errors=True)
            took = seconds(bench.side, folder)
            if turn:  # the one before the first downloads
                times[f"{bench.side.name}, cold"].append(took)
    return times


def run(sides: Sequence[Bench], runs: int, folder: Path) -> dict[str, list[float]]:
    """Seconds of runs that find their environment built."""
    warm = [bench.side._replace(name=f"{bench.side.name}, warm") for bench in sides if _runs(bench)]
    return take_turns(warm, runs, folder, progress)


def _runs(bench: Bench) -> bool:
    return " run, " in bench.side.name


def measure(builds: int, runs: int) -> dict[str, float]:
    """Medians in milliseconds, by side."""
    PACKAGE_CACHE.mkdir(exist_ok=True)
    # Beside the package caches: installers link files where the file system is the same.
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=PACKAGE_CACHE) as temporary:
        progress("installing every side")
        place = prepare(Path(temporary))
        fast, slow = benches(place, "uv"), benches(place, "virtualenv")
        # What takes half a minute is built once: no target depends on it.
        times = {**build(fast, builds, place.folder), **build(slow, 1, place.folder)}
        return medians({**times, **run([*fast, *slow], runs, place.folder)})


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time built environments beside `mlflow run` and bare uv.")
    parser.add_argument("--builds", type=int, default=5, help="builds with uv of each side (default: 5)")
    parser.add_argument("--runs", type=int, default=7, help="warm runs of each side (default: 7)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if min(options.builds, options.runs) < 1:
        parser.error("--builds and --runs: at least 1")
    milliseconds = measure(options.builds, options.runs)
    title = (
        f"{' and '.join(REQUIREMENTS)}: median of {options.builds} builds with uv (of one with virtualenv) and "
        f"{options.runs} runs"
    )
    print_report(title, milliseconds, TARGETS, as_json=options.json)


if __name__ == "__main__":
    main()
