"""Entry points in R, with the real R and a stand-in of the one function of the R package `mlflow` that they need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.commands import projrun_argv, require_tool, run_command

pytestmark = pytest.mark.integration

DESCRIPTION = """Package: mlflow
Version: 0.0.1
Title: Stand-In
Description: Has mlflow_source alone.
Author: Tests
Maintainer: Tests <tests@example.com>
License: GPL-3
"""

# What the real one does: it reads the arguments, which mlflow_param() asks for, and sources the file.
SOURCE = """mlflow_source <- function(uri) {
  assign("arguments", commandArgs(trailingOnly = TRUE), envir = globalenv())
  source(uri)
}
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of R with the stand-in."""
    r = require_tool("R")
    folder = tmp_path_factory.mktemp("r")
    package, library = folder / "mlflow", folder / "library"
    (package / "R").mkdir(parents=True)
    library.mkdir()
    (package / "DESCRIPTION").write_text(DESCRIPTION)
    (package / "NAMESPACE").write_text("export(mlflow_source)\n")
    (package / "R" / "source.R").write_text(SOURCE)
    run_command([r, "CMD", "INSTALL", "--no-docs", f"--library={library}", package]).check()
    return library


GIVEN = {"alpha": "0.9", "note": "it's $HOME"}
SEEN = ["--args", "--alpha", "0.9", "--note", "it's $HOME"]
"""The first word is of the command: Rscript adds another, which R leaves out."""


@pytest.mark.parametrize("name", ["sub/train.R", "o'one $HOME `id` {x} \\ \".R"])
def test_an_r_script_gets_its_parameters(library: Path, tmp_path: Path, name: str) -> None:
    write_script(tmp_path / "project" / name)
    assert arguments_of(projrun_argv(), tmp_path, name, GIVEN, library) == SEEN
    assert arguments_of(projrun_argv(), tmp_path, name, {}, library) == SEEN[:1]


def test_the_script_sees_what_it_sees_under_mlflow(
    library: Path, mlflow3_python: Path, tmp_path: Path
) -> None:
    write_script(tmp_path / "project" / "train.R")
    mlflow = [str(mlflow3_python.parent / "mlflow")]
    theirs = arguments_of(mlflow, tmp_path, "train.R", GIVEN, library)
    assert theirs == arguments_of(projrun_argv(), tmp_path, "train.R", GIVEN, library) == SEEN


def write_script(script: Path) -> None:
    """A script that writes down its arguments."""
    script.parent.mkdir(parents=True)
    script.write_text('writeLines(arguments, Sys.getenv("FOUND"))\n')


def arguments_of(tool: list[str], folder: Path, name: str, given: dict[str, str], library: Path) -> list[str]:
    """What the script gets from `TOOL run`."""
    result = folder / "found"
    environ = {
        "R_LIBS": str(library),
        "FOUND": str(result),
        "PROJRUN_HOME": str(folder / "home"),
        "MLFLOW_TRACKING_URI": "" if tool == projrun_argv() else f"sqlite:///{folder}/mlflow.db",
        "PATH": f"{Path(tool[0]).parent}{os.pathsep}{os.environ['PATH']}",
    }
    words = [word for key, value in given.items() for word in ("-P", f"{key}={value}")]
    run_command(
        [*tool, "run", str(folder / "project"), "-e", name, "--env-manager=local", *words],
        cwd=folder,
        environ=environ,
        timeout=300,
    ).check()
    return result.read_text().splitlines()
