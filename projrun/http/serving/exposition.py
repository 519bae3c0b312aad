"""Prometheus' text format: what a server counts and measures, as lines."""

from __future__ import annotations

import os
import resource
from bisect import bisect_left
from collections.abc import Iterator

MEDIA_TYPE = "text/plain; version=0.0.4"
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the buckets of a histogram."""
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Histogram:
    """How long requests took."""

    def __init__(self) -> None:
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """One more has taken so long."""
        self._buckets[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def lines(self, name: str, **labels: object) -> Iterator[str]:
        """The samples, without their head."""
        total = 0
        for bound, count in zip((*BOUNDS, "+Inf"), self._buckets, strict=True):
            total += count
            yield sample(f"{name}_bucket", total, **labels, le=bound)
        yield sample(f"{name}_sum", f"{self._seconds:.6f}", **labels)
        yield sample(f"{name}_count", total, **labels)


def head(name: str, kind: str, help_text: str) -> Iterator[str]:
    """What precedes the samples of a name."""
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"


def sample(name: str, value: object, **labels: object) -> str:
    """One value; any text may be in labels."""
    if not labels:
        return f"{name} {value}"
    pairs = (f'{label}="{str(text).translate(_ESCAPED)}"' for label, text in labels.items())
    return f"{name}{{{','.join(pairs)}}} {value}"


def single(name: str, kind: str, help_text: str, value: object) -> Iterator[str]:
    """A name with one value."""
    yield from head(name, kind, help_text)
    yield sample(name, value)


def of_process(began: float) -> Iterator[str]:
    """What this process uses, by the names of Prometheus' own clients; `began` is in seconds since the epoch."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor, memory = used.ru_utime + used.ru_stime, resident_memory()
    yield from single("process_cpu_seconds_total", "counter", "Processor time used.", f"{processor:.3f}")
    # Where the system does not say (macOS), the most there has been.
    yield from single(
        "process_resident_memory_bytes",
        "gauge",
        "Memory in use.",
        used.ru_maxrss if memory is None else memory,
    )
    yield from single(
        "process_start_time_seconds", "gauge", "Start of the server since the epoch.", f"{began:.3f}"
    )


def resident_memory(pid: int | str = "self") -> int | None:
    """Bytes that a process has in use; None where it has ended or the system does not say (macOS)."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as pages:  # noqa: PTH123 - a file of the kernel, read at once
            return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def exposition(lines: Iterator[str]) -> bytes:
    """All lines as a body."""
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")
