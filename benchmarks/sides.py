"""The commands that are compared, each in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.guard import PACKAGE_CACHE, REPOSITORY
from tests.support.virtualenvs import (
    BASE_PYTHON,
    MLFLOW3,
    built_environment,
    fresh_environment,
    uv_executable,
)

QUICKSTART = REPOSITORY / "example_projects" / "quickstart"
SKINNY = ("mlflow-skinny>=3.17,<4",)


class Side(NamedTuple):
    """A command to time."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]


class Installations(NamedTuple):
    """The Python of each environment."""

    bare: Path
    projrun: Path
    mlflow: Path
    skinny: Path


def install(folder: Path) -> Installations:
    """Build what is compared: mlflow's environments are kept between benchmarks, projrun's is made anew."""
    return Installations(
        bare=built_environment("bare", ()),
        projrun=install_projrun(folder),
        mlflow=built_environment("mlflow3", MLFLOW3),
        skinny=built_environment("mlflow-skinny3", SKINNY),
    )


def install_projrun(folder: Path) -> Path:
    """The Python of a new environment that holds projrun as a wheel of this tree."""
    return fresh_environment(folder / "projrun", [str(_wheel(folder / "wheel"))])


def _wheel(folder: Path) -> Path:
    environ = {**os.environ, "UV_CACHE_DIR": str(PACKAGE_CACHE / "uv")}
    build = [uv_executable(), "build", "--quiet", "--wheel", "--python", str(BASE_PYTHON)]
    subprocess.run([*build, "--out-dir", str(folder), str(REPOSITORY)], env=environ, check=True)
    return next(folder.glob("*.whl"))


def base_environment(python: Path, home: Path) -> dict[str, str]:
    """What every side gets: an empty home, the same `python` first on PATH, nothing of the caller's."""
    system = [str(Path(found).parent) for tool in ("bash", "git") if (found := shutil.which(tool))]
    path = [str(python.parent), *dict.fromkeys(system)]
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join(path),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        # mlflow reports its use over the network, which is no part of starting a run.
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def local_sides(installed: Installations, folder: Path) -> list[Side]:
    """The bare command, and each runner with its own local store."""
    base = base_environment(installed.bare, folder / "home")
    sqlite = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}
    # mlflow-skinny comes without SQLAlchemy: files are the only local store that it has.
    files = {"MLFLOW_TRACKING_URI": (folder / "mlruns").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    return [
        Side("bare command", ("python", str(QUICKSTART / "hello.py"), "world"), base),
        Side("projrun run", _run(installed.projrun, "projrun"), base),
        Side("mlflow run (mlflow-skinny)", _run(installed.skinny, "mlflow"), base | files),
        Side("mlflow run (mlflow)", _run(installed.mlflow, "mlflow"), base | sqlite),
    ]


def server_sides(installed: Installations, folder: Path, uri: str) -> list[Side]:
    """The runners that record on the tracking server at `uri`."""
    environ = base_environment(installed.bare, folder / "home") | {"MLFLOW_TRACKING_URI": uri}
    return [
        Side("projrun run, REST server", _run(installed.projrun, "projrun"), environ),
        Side("mlflow run (mlflow-skinny), REST server", _run(installed.skinny, "mlflow"), environ),
        Side("mlflow run (mlflow), REST server", _run(installed.mlflow, "mlflow"), environ),
    ]


def version_sides(installed: Installations, folder: Path) -> list[Side]:
    """Starting Python and nothing else, and `projrun version`."""
    base = base_environment(installed.bare, folder / "home")
    return [
        Side("bare python", (str(installed.projrun), "-c", "pass"), base),
        Side("projrun version", (str(installed.projrun.parent / "projrun"), "version"), base),
    ]


def _run(python: Path, command: str) -> tuple[str, ...]:
    return (str(python.parent / command), "run", str(QUICKSTART), "--env-manager=local")
