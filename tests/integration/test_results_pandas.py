"""`to_pandas`, with a real pandas."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from projrun.tracking.sql.store import SqlStore
from tests.support.guard import REPOSITORY
from tests.test_results import SCRIPT
from tests.test_results import store as store

pytestmark = pytest.mark.integration


def test_frames(store: SqlStore, mlflow3_python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    done = subprocess.run([mlflow3_python, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
