"""conda, mamba and micromamba: which one the user wants, and how each is called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.executables import path_folders, program
from projrun_backends.environments.options import CONDA_VARIABLE

RATTLER = "rattler"
"""Selects py-rattler even if conda is installed."""

_CREATES = "$MLFLOW_CONDA_CREATE_ENV_CMD"
_NAMES = ("conda", "mamba", "micromamba")


class CondaProgram(NamedTuple):
    """A program of conda's family."""

    path: Path
    origin: str
    """Why it is used: `$CONDA_EXE`."""

    @property
    def name(self) -> str:
        """The file's: `conda`, `mamba` or `micromamba`."""
        return self.path.name

    def create(self, prefix: Path, file: Path, *, explicit: bool) -> list[str | Path]:
        """The argv that makes `prefix` from an environment file, or from an explicit list."""
        if explicit or self.name.startswith("micromamba"):
            return [self.path, "create", "--yes", "--prefix", prefix, "--file", file]
        return [self.path, "env", "create", "--prefix", prefix, "--file", file]


def find_program(environ: Mapping[str, str]) -> CondaProgram | None:
    """The program that the user wants; None for py-rattler.

    In this order: `--conda-exe`, MLflow's `MLFLOW_CONDA_HOME`, `CONDA_EXE` and `MAMBA_EXE`, which the shells of
    conda and micromamba set; and without py-rattler whatever is on PATH. Raises EnvironmentBuildError for one
    that does not exist.
    """
    if environ.get(CONDA_VARIABLE):
        return _chosen(environ[CONDA_VARIABLE], environ)
    asked = _mlflow(environ) or _shell(environ)
    if asked is not None:
        return asked
    return None if rattler_installed() else _on_path(environ)


def rattler_installed() -> bool:
    """Whether py-rattler can be imported; imports nothing."""
    from importlib.util import find_spec

    return find_spec("rattler") is not None


def _chosen(word: str, environ: Mapping[str, str]) -> CondaProgram | None:
    if word == RATTLER:
        return None
    if os.sep in word:
        return _existing(Path(os.path.abspath(os.path.expanduser(word))), "--conda-exe")  # noqa: PTH100, PTH111
    found = _first_on_path(word, environ)
    if found is not None:
        return CondaProgram(found, "--conda-exe")
    raise EnvironmentBuildError(
        f"--conda-exe: {word} not found on PATH", hint=f"give its path, or {RATTLER} for py-rattler"
    )


def _first_on_path(name: str, environ: Mapping[str, str]) -> Path | None:
    return next(filter(None, (program(folder, name) for folder in path_folders(environ))), None)


def _mlflow(environ: Mapping[str, str]) -> CondaProgram | None:
    """MLflow's own variables: the folder, and the name of the program that creates environments."""
    folder = environ.get("MLFLOW_CONDA_HOME")
    name = environ.get("MLFLOW_CONDA_CREATE_ENV_CMD")
    if folder:
        return _existing(Path(folder) / "bin" / (name or "conda"), "$MLFLOW_CONDA_HOME")
    if not name:
        return None
    if environ.get("CONDA_EXE"):
        return _existing(Path(environ["CONDA_EXE"]).parent / name, _CREATES)
    found = _first_on_path(name, environ)
    if found is None:
        raise EnvironmentBuildError(f"{_CREATES}: {name} not found on PATH", hint="unset it, or install it")
    return CondaProgram(found, _CREATES)


def _shell(environ: Mapping[str, str]) -> CondaProgram | None:
    """What an initialized shell sets; ignored if the program does not exist."""
    for variable in ("CONDA_EXE", "MAMBA_EXE"):
        path = environ.get(variable)
        if path and os.access(path, os.X_OK) and Path(path).is_file():
            return CondaProgram(Path(path), f"${variable}")
    return None


def _on_path(environ: Mapping[str, str]) -> CondaProgram | None:
    for folder in path_folders(environ):
        for name in _NAMES:
            found = program(folder, name)
            if found is not None:
                return CondaProgram(found, "found on PATH")
    return None


def _existing(path: Path, origin: str) -> CondaProgram:
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise EnvironmentBuildError(
            f"{origin}: {path} is not a program", hint=f"name conda, mamba, micromamba, or {RATTLER}"
        )
    return CondaProgram(path, origin)
