"""The use of this machine at a moment, under the names of MLflow's `mlflow.system_metrics`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import psutil

from projrun.running.during.gpus import Gpus

_MEGABYTE = 1e6
_LATEST = ("network_receive_megabytes", "network_transmit_megabytes")
"""Count from the beginning: of several samples the last one is of interest."""

Values = Mapping[str, float]


class Machine:
    """Processor, memory, disk, network and GPUs."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Network use is counted from here on."""
        self._received, self._sent = _network_use()
        self._gpus = Gpus(environ)
        psutil.cpu_percent()  # begins to measure: the next call says what was used since

    def sample(self) -> Values:
        """The values now."""
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(os.sep)
        received, sent = _network_use()
        return {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / _MEGABYTE,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / _MEGABYTE,
            "disk_available_megabytes": disk.free / _MEGABYTE,
            "network_receive_megabytes": (received - self._received) / _MEGABYTE,
            "network_transmit_megabytes": (sent - self._sent) / _MEGABYTE,
            **self._gpus.sample(),
        }


def _network_use() -> tuple[float, float]:
    """What was received and sent since the machine began."""
    counters = psutil.net_io_counters(pernic=True).values()
    return sum(one.bytes_recv for one in counters), sum(one.bytes_sent for one in counters)


def aggregate(samples: Sequence[Values]) -> Values:
    """One value of each: the mean, as in MLflow, or the last where it counts up."""
    values: dict[str, list[float]] = {}
    for sample in samples:
        for name, value in sample.items():
            values.setdefault(name, []).append(value)
    return {
        name: found[-1] if name in _LATEST else round(sum(found) / len(found), 1)
        for name, found in values.items()
    }
