"""The names of `system/…` metrics, compared with those of MLflow's own monitor."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil

from projrun.running.during.machine import Machine
from tests.support.commands import run_command

# NVIDIA's library as far as MLflow's monitor uses it: one GPU.
PYNVML = """
class NVMLError(Exception): ...
class Of:
    used, total, gpu = 1, 2, 3
def nvmlInit(): ...
def nvmlDeviceGetCount(): return 1
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetMemoryInfo(handle): return Of
def nvmlDeviceGetUtilizationRates(handle): return Of
def nvmlDeviceGetPowerUsage(handle): return 1000
def nvmlDeviceGetEnforcedPowerLimit(handle): return 2000
"""
MONITORS = """
import json
from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

values = {}
for monitor in (CPUMonitor(), DiskMonitor(), NetworkMonitor(), GPUMonitor()):
    monitor.collect_metrics()
    values.update(monitor.aggregate_metrics())
print(json.dumps(values))
"""
NVIDIA_SMI = "#!/bin/sh\necho '0, 3, 1, 2, 1.0, 2.0'\n"


def test_names_and_units_are_mlflows(tmp_path: Path, mlflow3_python: Path) -> None:
    # psutil of these tests: its wheels serve every Python.
    (tmp_path / "psutil").symlink_to(Path(psutil.__file__).parent)
    (tmp_path / "pynvml.py").write_text(PYNVML)
    found = run_command([mlflow3_python, "-c", MONITORS], environ={"PYTHONPATH": str(tmp_path)}).check()
    theirs = json.loads(found.stdout)

    (tmp_path / "nvidia-smi").write_text(NVIDIA_SMI)
    (tmp_path / "nvidia-smi").chmod(0o755)
    ours = Machine({**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}).sample()
    assert ours.keys() == theirs.keys()
    for name in ("disk_usage_megabytes", "system_memory_usage_megabytes", "gpu_0_power_usage_percentage"):
        assert 0.5 < ours[name] / theirs[name] < 2
