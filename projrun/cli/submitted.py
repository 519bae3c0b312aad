"""`python -m projrun.cli.submitted FILE DESCRIPTOR`: a submitted run's process, started by `projrun.running.submitted`.

It behaves as `projrun run --quiet`: signals, output and exit codes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from projrun.cli import leave
from projrun.cli.execution import guarded
from projrun.cli.run import carry_out
from projrun.running.request import context_of


def carry_out_file(file: Path, lease: int | None = None) -> int:
    """Run what the request in the file asks for; the file is removed. `lease` is the descriptor of the run's."""
    from projrun.running.handover import take_over

    request = take_over(file, os.environ)
    return carry_out(request, context_of(request, os.environ), quiet=True, lease=lease)


if __name__ == "__main__":
    leave(guarded(lambda: carry_out_file(Path(sys.argv[1]), int(sys.argv[2]))))
