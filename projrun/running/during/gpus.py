"""The use of NVIDIA's GPUs, as their own `nvidia-smi` reports it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping

_QUERY = "index,utilization.gpu,memory.used,memory.total,power.draw,enforced.power.limit"
_TIMEOUT = 5.0
_MEGABYTES_OF_MEBIBYTE = 1.048576


class Gpus:
    """Asks nvidia-smi, until it fails once: a machine without GPUs, or with a driver that hangs, is left alone."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._program = shutil.which("nvidia-smi", path=environ.get("PATH"))

    def sample(self) -> Mapping[str, float]:
        """The values of each GPU by MLflow's names; what a GPU does not report is missing."""
        if self._program is None:
            return {}
        try:
            done = subprocess.run(
                [self._program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_TIMEOUT,
                check=True,
            )
            return dict(value for line in done.stdout.decode().splitlines() for value in _values(line))
        except (OSError, ValueError, subprocess.SubprocessError):
            self._program = None
            return {}


def _values(line: str) -> Iterator[tuple[str, float]]:
    index, *fields = (field.strip() for field in line.split(","))
    used_share, used, total, watts, most_watts = map(_number, fields)
    gpu = f"gpu_{int(index)}"
    if used_share is not None:
        yield f"{gpu}_utilization_percentage", used_share
    if used is not None and total:
        yield f"{gpu}_memory_usage_megabytes", used * _MEGABYTES_OF_MEBIBYTE
        yield f"{gpu}_memory_usage_percentage", used / total * 100
    if watts is not None and most_watts:
        yield f"{gpu}_power_usage_watts", watts
        yield f"{gpu}_power_usage_percentage", watts / most_watts * 100


def _number(field: str) -> float | None:
    """None for `[N/A]` and `[Not Supported]`."""
    return None if field.startswith("[") else float(field)
