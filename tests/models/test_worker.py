"""The worker of the scoring server, which runs in the model's Python."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.guard import REPOSITORY

WORKER = REPOSITORY / "projrun" / "models" / "serving" / "worker"
FILES = sorted(WORKER.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_python_3_7_reads_it(file: Path) -> None:
    ast.parse(file.read_text("utf-8"), feature_version=(3, 7))
