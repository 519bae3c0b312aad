"""Virtual environments for tests and benchmarks: built once by uv from PyPI, kept in `.cache`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from tests.support.guard import PACKAGE_CACHE

BASE_PYTHON = Path(sys.executable).resolve()
"""The interpreter behind the environment that the tests run in."""

MLFLOW3 = ("mlflow>=3.17,<4", "scikit-learn>=1.5,<2")
# mlflow 2.22 does not start with SQLAlchemy 2.1, although it accepts it.
MLFLOW2 = ("mlflow>=2.22,<3", "scikit-learn>=1.5,<2", "sqlalchemy<2.1")

# The last 1.x, without the server; setuptools has the `distutils` and `pkg_resources` that it imports.
MLFLOW1 = ("mlflow-skinny==1.30.1", "setuptools<70")


def built_environment(name: str, requirements: Sequence[str], *, timeout: float = 900) -> Path:
    """The Python of a virtual environment that holds `requirements`; built when it is not there yet.

    Several processes may ask at once. A build that fails leaves nothing that a later call would use.
    """
    digest = hashlib.sha256("\n".join([str(BASE_PYTHON), *requirements]).encode()).hexdigest()[:12]
    folder = PACKAGE_CACHE / "venvs" / f"{name}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    marker = folder / ".complete"
    with FileLock(f"{folder}.lock", timeout=timeout):
        if not marker.exists():
            fresh_environment(folder, requirements, timeout=timeout)
            marker.touch()
    return environment_python(folder)


def environment_python(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / "bin/python"


def fresh_environment(folder: Path, requirements: Sequence[str], *, timeout: float = 900) -> Path:
    """The Python of a virtual environment made in `folder` now, its bytecode compiled.

    What lay there is removed. Raises RuntimeError with uv's own words where it fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    python = environment_python(folder)
    _call_uv(["venv", "--quiet", "--python", str(BASE_PYTHON), str(folder)], timeout)
    if requirements:
        install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
        _call_uv([*install, *requirements], timeout)
    return python


def uv_executable() -> str:
    """The uv of the environment that the tests run in."""
    import uv

    return os.fspath(uv.find_uv_bin())


def _call_uv(arguments: Sequence[str], timeout: float) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ.setdefault("UV_CACHE_DIR", str(PACKAGE_CACHE / "uv"))
    environ["UV_PYTHON_DOWNLOADS"] = "never"
    argv = [uv_executable(), *arguments]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} failed:\n{done.stderr}")
