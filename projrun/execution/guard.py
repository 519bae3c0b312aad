"""The runner's side of the guard process, which ends a job whose runner was killed with -9."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = Path(__file__).with_name("guard_process.py")


class Guard:
    """A process that watches this one. It starts by itself while the runner goes on (about 1 ms here).

    A pipe is what it watches: `PR_SET_PDEATHSIG` is tied to the forking thread, misses grandchildren,
    and exists on Linux only.
    """

    def __init__(self, grace_period: float) -> None:
        reader, self._writer = os.pipe()
        try:
            # A session of its own: no terminal signal reaches it. `/`: it keeps no file system busy.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SCRIPT), str(grace_period)],
                stdin=reader,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=dict(os.environ),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._writer)
            raise
        finally:
            os.close(reader)

    @property
    def pid(self) -> int:
        """The guard's own process id."""
        return self._process.pid

    def watch(self, group: int) -> None:
        """Name the process group to end; called at once after it was started."""
        try:
            os.write(self._writer, b"%d\n" % group)
        except BrokenPipeError:
            return  # someone killed the guard: the run goes on without it

    def release(self) -> None:
        """End the guard: the group needs none any more."""
        self._process.kill()
        self._process.wait()
        os.close(self._writer)
