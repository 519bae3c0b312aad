"""The use of this machine while a run goes on: metrics `system/…` as MLflow names them, where psutil is installed."""

from __future__ import annotations

import os
import threading

from . import state
from .environment import module, now, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .calls import Calls
    from .entities import Run

    Values = dict[str, float]

_ENABLED = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
_INTERVAL = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"
_SAMPLES = "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING"
_NODE = "MLFLOW_SYSTEM_METRICS_NODE_ID"
_PREFIX = "system/"
_MEGABYTE = 1e6


def enable_system_metrics_logging() -> None:
    """Runs that are started from now on have metrics `system/…`."""
    os.environ[_ENABLED] = "true"


def disable_system_metrics_logging() -> None:
    """Runs have them no more, but for `start_run(log_system_metrics=True)`."""
    os.environ[_ENABLED] = "false"


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Seconds between two samples; 10 by default."""
    _set(_INTERVAL, interval)


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """How many samples become one value; 1 by default."""
    _set(_SAMPLES, samples)


def set_system_metrics_node_id(node_id: str | None) -> None:
    """A part of the metrics' names, for a training on several machines."""
    _set(_NODE, node_id)


def watch(run: Run, wanted: bool | None) -> None:
    """Begin to record for a run where that is wanted, in a thread that ends with the run."""
    if wanted is None:
        wanted = os.environ.get(_ENABLED, "").lower() in ("true", "1")
    if wanted and not run.is_silent:
        run.over = threading.Event()
        threading.Thread(
            target=_record, args=(run, run.over), name="projrun-log-machine", daemon=True
        ).start()


def _set(variable: str, value: object) -> None:
    """As MLflow does: for processes that this one starts, too."""
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = str(value)


def _record(run: Run, over: threading.Event) -> None:
    try:
        interval = float(os.environ.get(_INTERVAL) or 10)
        size = max(1, int(os.environ.get(_SAMPLES) or 1))
        node = os.environ.get(_NODE)
        prefix = f"{_PREFIX}{node}/" if node else _PREFIX
        machine, step = _Machine(), _first_step(run)
        while True:
            samples: list[Values] = []
            while len(samples) < size:
                if over.wait(interval):
                    return
                samples.append(machine.sample())
            when = now()
            for name, value in _aggregate(samples).items():
                state.queue.append((run, f"{prefix}{name}", float(value), when, step))
            step += 1
    except ImportError:
        warn("system metrics", "not recorded: psutil is not installed")
    except Exception as error:  # training goes on without them
        warn("system metrics", f"not recorded: {type(error).__name__}: {error}")


def _first_step(run: Run) -> int:
    """After those that a run has which is continued. Raises LogError."""
    if run.is_new:
        return 0
    from .questions import ask

    def question(calls: Calls) -> int:
        found = (
            calls.server().call("GET", "runs/get", {"run_id": run.run_id})["run"]["data"].get("metrics", ())
        )
        steps = [int(each.get("step", 0)) for each in found if each["key"].startswith(_PREFIX)]
        return max(steps, default=-1) + 1

    step: int = ask(question)
    return step


class _Machine:
    """Processor, memory, disk, network and NVIDIA's GPUs."""

    def __init__(self) -> None:
        """Network use is counted from here on. Raises ImportError without psutil."""
        self._psutil = module("psutil")
        self._psutil.cpu_percent()  # begins to measure: the next call says what was used since
        self._network = self._psutil.net_io_counters()
        self._gpus = _gpus()

    def sample(self) -> Values:
        """The values now."""
        memory, disk = self._psutil.virtual_memory(), self._psutil.disk_usage(os.sep)
        values = {
            "cpu_utilization_percentage": self._psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / _MEGABYTE,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / _MEGABYTE,
            "disk_available_megabytes": disk.free / _MEGABYTE,
        }
        network, before = self._psutil.net_io_counters(), self._network
        if network and before:  # none in a container without a network
            values["network_receive_megabytes"] = (network.bytes_recv - before.bytes_recv) / _MEGABYTE
            values["network_transmit_megabytes"] = (network.bytes_sent - before.bytes_sent) / _MEGABYTE
        for number, gpu in enumerate(self._gpus):
            values.update(_gpu(number, gpu))
        return values


def _gpus() -> list[Any]:
    """NVIDIA's, as far as its library is installed."""
    try:
        nvml = module("pynvml")
        nvml.nvmlInit()
        return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    except Exception:  # no library, or no GPU
        return []


def _gpu(number: int, gpu: Any) -> Values:
    nvml, values = module("pynvml"), {}
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(gpu)
        values["memory_usage_percentage"] = round(memory.used / memory.total * 100, 1)
        values["memory_usage_megabytes"] = memory.used / _MEGABYTE
        values["utilization_percentage"] = nvml.nvmlDeviceGetUtilizationRates(gpu).gpu
        power = nvml.nvmlDeviceGetPowerUsage(gpu)
        values["power_usage_watts"] = power / 1000
        values["power_usage_percentage"] = power / nvml.nvmlDeviceGetEnforcedPowerLimit(gpu) * 100
    except nvml.NVMLError as error:  # this GPU does not tell the rest
        warn("system metrics", f"GPU {number}: {error}")
    return {f"gpu_{number}_{name}": value for name, value in values.items()}


def _aggregate(samples: list[Values]) -> Values:
    """The mean of each; the last of what counts up."""
    return {
        name: value
        if name.startswith("network_")
        else round(sum(sample.get(name, value) for sample in samples) / len(samples), 1)
        for name, value in samples[-1].items()
    }
