"""Much output: forwarded, kept, folded and recorded with little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import write_project

STATUS = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="the peak of this process alone: Linux")

# The peak that `getrusage` knows is also that of the process which forked this one.
RUN = """
import os, sys
from pathlib import Path

leave = os._exit

def record(code):
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    Path(sys.argv[1]).write_text(peak.split()[1])
    leave(code)

os._exit = record
from projrun.cli import main

main(sys.argv[2:])
"""

LINES = "yes 'step 1 of many: loss=0.25, accuracy=0.5' | head -c {size}"
BARS = "yes '\x1b[32m 50%|#####     |\x1b[0m 5/10 [00:01<00:01, 3.14it/s]' | head -c {size} | tr '\\n' '\\r'"
ONE_LINE = "head -c {size} /dev/zero | tr '\\0' x"


@pytest.mark.parametrize("printed", [LINES, BARS, ONE_LINE], ids=["lines", "bars", "one line"])
@pytest.mark.parametrize(
    "size",
    [pytest.param(60_000_000, id="60 MB"), pytest.param(300_000_000, id="300 MB", marks=pytest.mark.large)],
)
def test_much_output_needs_little_memory(tmp_path: Path, printed: str, size: int) -> None:
    if printed == BARS:
        size //= 10  # as many bars as a run of hours draws
    (tmp_path / "print.sh").write_text(printed.format(size=size))
    project = write_project(tmp_path / "project", "entry_points: {main: {command: 'sh ../print.sh'}}")
    peak, shown = tmp_path / "peak", tmp_path / "shown"
    with shown.open("wb") as stdout:
        words = [sys.executable, "-c", RUN, peak, "run", project, "--env-manager=local"]
        subprocess.run([str(word) for word in words], stdout=stdout, check=True, timeout=300)
    assert shown.stat().st_size == size
    assert int(peak.read_text()) < 60_000  # kB
