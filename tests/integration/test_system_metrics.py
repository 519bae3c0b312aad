"""The names of `system/…` metrics, compared with those of MLflow's own monitor."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import psutil
import pytest

import projrun
from projrun.running import session
from projrun.running.during.machine import Machine
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import run_command
from tests.support.projects import write_project

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


CLIENT = """
import sys, time
import mlflow
mlflow.enable_system_metrics_logging()
with mlflow.start_run():
    time.sleep(6)
"""


def with_psutil(folder: Path) -> Path:
    """psutil of these tests on a path of its own: its wheels serve every Python."""
    (folder / "psutil").symlink_to(Path(psutil.__file__).parent)
    return folder


def test_names_and_units_are_mlflows(tmp_path: Path, mlflow3_python: Path) -> None:
    with_psutil(tmp_path)
    (tmp_path / "pynvml.py").write_text(PYNVML)
    found = run_command([mlflow3_python, "-c", MONITORS], environ={"PYTHONPATH": str(tmp_path)}).check()
    theirs = json.loads(found.stdout)

    (tmp_path / "nvidia-smi").write_text(NVIDIA_SMI)
    (tmp_path / "nvidia-smi").chmod(0o755)
    ours = Machine({**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}).sample()
    assert ours.keys() == theirs.keys()
    for name in ("disk_usage_megabytes", "system_memory_usage_megabytes", "gpu_0_power_usage_percentage"):
        assert 0.5 < ours[name] / theirs[name] < 2


def test_a_client_that_records_them_takes_over(
    tmp_path: Path, mlflow3_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_LONG", 0.1)
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(with_psutil(tmp_path)))
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "1")
    project = write_project(
        tmp_path / "project",
        f"entry_points: {{main: {{command: '{mlflow3_python} client.py'}}}}",
        client_py=CLIENT,
    )
    projrun.run(str(project), env_manager="local", system_metrics=True)
    with closing(SqlStore.open(tmp_path / "home" / "projrun.db")) as store:
        (run,) = store.search_runs(["0"]).runs
        found = store.get_metric_history(run.run_id, "system/cpu_utilization_percentage").metrics
    steps = [metric.step for metric in found]
    assert steps == sorted(steps)
    # At the moment of the handover both may log one step.
    assert len(steps) >= 6
    assert len(steps) - len(set(steps)) <= 1
