"""Small projects made for one test."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def write_project(folder: Path, mlproject: str, **files: str) -> Path:
    """A folder with an MLproject file, and files by name (`train_py` is `train.py`)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MLproject").write_text(mlproject)
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text)
    return folder


def python_project(folder: Path, script: str, parameters: str = "") -> Path:
    """A project whose `main` runs `script` under this interpreter, with what `parameters` declares (YAML flow).

    Without site-packages, whose search takes half of Python's start.
    """
    mlproject = f"""
name: demo
entry_points:
  main:
    parameters: {parameters or "{}"}
    command: "{shlex.quote(sys.executable)} -S script.py"
"""
    return write_project(folder, mlproject, script_py=script)
