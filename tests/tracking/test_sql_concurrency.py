"""Many writers of one store: nothing is lost, nobody fails."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from projrun.tracking.entities import Metric
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import start_python

WRITES = 40

SCRIPT = f"""
import sys
from pathlib import Path
from projrun.tracking.entities import Metric, Param
from projrun.tracking.sql.store import SqlStore
store = SqlStore.open(Path(sys.argv[1]))
for number in range({WRITES}):
    store.log_batch(sys.argv[2], metrics=[Metric("m", 1.0, number, int(sys.argv[3]))])
store.log_batch(sys.argv[2], params=[Param(f"p{{sys.argv[3]}}", "1"), Param("same", "1")])
store.close()
"""


@pytest.mark.processes
def test_processes_that_write_at_once(tmp_path: Path) -> None:
    file = tmp_path / "projrun.db"
    with closing(SqlStore.open(file)) as store:
        run = store.create_run("0", start_time=1)
        processes = [start_python(SCRIPT, file, run.run_id, str(number)) for number in range(4)]
        assert [process.end().returncode for process in processes] == [0] * 4
        assert len(store.get_metric_history(run.run_id, "m").metrics) == 4 * WRITES
        assert {param.key for param in store.get_run(run.run_id).params} == {"p0", "p1", "p2", "p3", "same"}


def test_threads_that_write_and_read_at_once(tmp_path: Path) -> None:
    file = tmp_path / "projrun.db"
    with closing(SqlStore.open(file)) as store:
        run_id = store.create_run("0", start_time=1).run_id
    failures: list[BaseException] = []

    def work(step: int) -> None:
        try:
            with closing(SqlStore.open(file)) as store:
                for number in range(WRITES):
                    store.log_batch(run_id, metrics=[Metric("m", 1.0, number, step)])
                    assert store.get_run(run_id).metrics
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(step,)) for step in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with closing(SqlStore.open(file)) as store:
        assert len(store.get_metric_history(run_id, "m").metrics) == 4 * WRITES
