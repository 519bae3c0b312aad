"""The use of NVIDIA's GPUs, as their own `nvidia-smi` reports it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence

from projrun.running.nvidia_smi import ask_gpus

_FIELDS = "index,utilization.gpu,memory.used,memory.total,power.draw,enforced.power.limit"
_TIMEOUT = 5.0
_MEGABYTES_OF_MEBIBYTE = 1.048576


class Gpus:
    """Asks nvidia-smi, until it fails once: a machine without GPUs, or with a driver that hangs, is left alone."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._works = True

    def sample(self) -> Mapping[str, float]:
        """The values of each GPU by MLflow's names; what a GPU does not report is missing."""
        if not self._works:
            return {}
        try:
            rows = ask_gpus(_FIELDS, self._environ, _TIMEOUT)
            self._works = rows is not None
            return dict(value for row in rows or () for value in _values(row))
        except (OSError, ValueError, subprocess.SubprocessError):
            self._works = False
            return {}


def _values(row: Sequence[str]) -> Iterator[tuple[str, float]]:
    index, *fields = row
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
