"""Metrics of the machine: MLflow's names, a store that fails, another writer, GPUs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from projrun.errors import RequestError, TrackingError
from projrun.running.during import system_metrics
from projrun.running.during.gpus import Gpus
from projrun.running.during.machine import Machine, aggregate
from projrun.running.during.sampling import Sampling, sampling_of
from projrun.running.during.system_metrics import SystemMetrics
from projrun.running.record.recorder import now
from projrun.settings import Setting
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.rest.store import RestStore
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from tests.tracking.loopback import closed_port

CPU = "system/cpu_utilization_percentage"
ASKED = Setting("1", "--system-metrics")

NVIDIA_SMI = """#!/bin/sh
case "$*" in
*--query-gpu=index,utilization.gpu,memory.used,memory.total,power.draw,enforced.power.limit*nounits*) ;;
*) exit 9 ;;
esac
echo '0, 37, 1000, 4000, 50.00, 200.00'
echo '1, [N/A], 0, 4000, [N/A], [Not Supported]'
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "projrun.db"


@pytest.fixture
def store(database: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(database)) as store:
        yield store


@pytest.fixture
def run(store: SqlStore) -> Run:
    return store.create_run("0", start_time=1)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the patience of a run over ten seconds."""
    monkeypatch.setattr(system_metrics, "_SOON", 0.01)


@contextmanager
def sampled(
    opened: Callable[[], RunStore], run: Run, *, samples: int = 1, node: str = ""
) -> Iterator[SystemMetrics]:
    over = Event()
    metrics = SystemMetrics(opened, run.run_id, Sampling(0.02, samples, node), Machine(os.environ), over)
    thread = Thread(target=metrics.run)
    thread.start()
    try:
        yield metrics
    finally:
        over.set()
        thread.join(10)
        assert not thread.is_alive()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def steps(store: SqlStore, run: Run, key: str = CPU) -> list[int]:
    return [metric.step for metric in store.get_metric_history(run.run_id, key).metrics]


def test_metrics_are_logged_while_the_command_runs(store: SqlStore, database: Path, run: Run) -> None:
    with sampled(lambda: SqlStore.open(database), run, samples=2, node="n1"):
        until(lambda: len(steps(store, run, "system/n1/cpu_utilization_percentage")) >= 3)
    assert steps(store, run, "system/n1/disk_usage_percentage")[:3] == [0, 1, 2]
    (memory,) = [m for m in store.get_run(run.run_id).metrics if m.key.endswith("memory_usage_percentage")]
    assert 0 < memory.value < 100


def test_a_continued_run_goes_on_after_its_last_step(store: SqlStore, database: Path, run: Run) -> None:
    store.log_batch(run.run_id, metrics=[Metric(CPU, 1.0, 1, step=7), Metric("loss", 1.0, 1, step=100)])
    with sampled(lambda: SqlStore.open(database), run):
        until(lambda: len(steps(store, run)) >= 3)
    assert steps(store, run)[:3] == [7, 8, 9]


def test_it_stops_where_the_commands_own_client_logs_them(store: SqlStore, database: Path, run: Run) -> None:
    with sampled(lambda: SqlStore.open(database), run):
        until(lambda: steps(store, run))
        # As MLflow's client goes on: at the step after the last, which may be logged here meanwhile.
        theirs = store.get_metric_history(run.run_id, CPU).metrics[-1].step + 1
        store.log_batch(run.run_id, metrics=[Metric(CPU, 1.0, now() + 60_000, step=theirs)])
        time.sleep(0.1)
        found = steps(store, run)
        time.sleep(0.1)
        assert steps(store, run) == found


def test_what_a_store_did_not_take_comes_with_the_next(store: SqlStore, database: Path, run: Run) -> None:
    refused = Event()

    class Refusing(SqlStore):
        """Takes metrics from the third time on."""

        times = 0

        def log_batch(self, run_id: str, **items: Sequence[Metric | Param | Tag]) -> None:
            Refusing.times += 1
            if Refusing.times < 3:
                refused.set()
                raise TrackingError("out of reach")
            super().log_batch(run_id, **items)  # type: ignore[arg-type]

    with sampled(lambda: Refusing.open(database), run):
        until(lambda: steps(store, run))
    assert refused.is_set()
    found = steps(store, run)
    assert found == list(range(len(found)))


def test_a_server_that_is_gone_is_no_matter(run: Run) -> None:
    with closed_port() as uri, sampled(lambda: RestStore(uri, {}), run):
        time.sleep(0.1)


def test_samples_become_their_mean_and_counters_their_last() -> None:
    samples = [{"a": 1.0, "network_receive_megabytes": 1.25}, {"a": 2.04, "network_receive_megabytes": 2.25}]
    assert aggregate(samples) == {"a": 1.5, "network_receive_megabytes": 2.25}


def test_gpus_as_nvidia_smi_reports_them(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(NVIDIA_SMI)
    program.chmod(0o755)
    gpus = Gpus({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert gpus.sample() == {
        "gpu_0_utilization_percentage": 37.0,
        "gpu_0_memory_usage_megabytes": pytest.approx(1048.576),
        "gpu_0_memory_usage_percentage": 25.0,
        "gpu_0_power_usage_watts": 50.0,
        "gpu_0_power_usage_percentage": 25.0,
        "gpu_1_memory_usage_megabytes": 0.0,
        "gpu_1_memory_usage_percentage": 0.0,
    }


@pytest.mark.parametrize("text", ["exit 9", "echo NVIDIA-SMI has failed", "echo '0, 1'", "printf '\\377\\n'"])
def test_a_driver_that_fails_is_asked_once(tmp_path: Path, text: str) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho >> {tmp_path}/asked\n{text}\n")
    program.chmod(0o755)
    gpus = Gpus({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert [gpus.sample(), gpus.sample()] == [{}, {}]
    assert (tmp_path / "asked").read_text() == "\n"


def test_mlflows_variables_say_how_often() -> None:
    assert sampling_of(ASKED, {}, nested=False) == Sampling(10.0, 1, "")
    environ = {
        "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "2.5",
        "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING": "4",
        "MLFLOW_SYSTEM_METRICS_NODE_ID": "n1",
    }
    assert sampling_of(ASKED, environ, nested=False) == Sampling(2.5, 4, "n1")


@pytest.mark.parametrize("name", ["SAMPLING_INTERVAL", "SAMPLES_BEFORE_LOGGING"])
@pytest.mark.parametrize("value", ["0", "-1", "often"])
def test_mistakes_in_them_are_errors_of_the_request(name: str, value: str) -> None:
    with pytest.raises(RequestError, match=name):
        sampling_of(ASKED, {f"MLFLOW_SYSTEM_METRICS_{name}": value}, nested=False)


def test_without_psutil_the_option_is_an_error_and_mlflows_variable_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RequestError, match="--system-metrics: system metrics need psutil") as caught:
        sampling_of(ASKED, {}, nested=False)
    assert caught.value.hint == "pip install 'projrun[metrics]'"
    assert sampling_of(ASKED, {}, nested=True) is None
    of_mlflow = Setting("true", "$MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING")
    assert sampling_of(of_mlflow, {}, nested=False) is None
