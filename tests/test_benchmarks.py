"""Parts of the benchmarks that could be wrong without anybody seeing it."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import logging, serving
from benchmarks.asking import Client, body, request
from benchmarks.looking import Frames
from benchmarks.many_runs import Shape, fill, name_of
from benchmarks.page_goals import goals
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import run_command


def test_a_page_is_judged_by_its_own_times_and_by_the_row_in_which_the_other_comes_nearest() -> None:
    mine = {"first rows, ms": 900.0, "sort, ms": 100.0, "scroll, p95 of frames, ms": 20.0}
    other = {"first rows, ms": 4000.0, "sort, ms": 600.0, "scroll, p95 of frames, ms": 20.0}
    found = {goal.name: goal.reached for goal in goals({"many": {"projrun": mine, "mlflow": other}})}
    assert found == {
        "many: first rows, ms": True,
        "many: scroll, p95 of frames, ms": False,
        "many: times ours, mlflow, first rows, ms": False,
    }


def test_frames_that_come_late_are_counted() -> None:
    frames = Frames((16.7,) * 90 + (50.0,) * 10, 0)
    assert (frames.p95, frames.late) == (50.0, 10.0)


def test_a_store_is_filled_with_the_runs_that_were_asked_for(tmp_path: Path) -> None:
    experiment = fill(tmp_path / "runs.db", Shape(runs=20, params=2, metrics=3, points=5))
    with closing(SqlStore.open(tmp_path / "runs.db")) as store:
        found = store.search_runs([experiment]).runs
        assert [run.run_name for run in found] == [name_of(number) for number in reversed(range(20))]
        newest = found[0]
        assert [param.key for param in newest.params] == ["param_000", "param_001"]
        history = store.get_metric_history(newest.run_id, "metric_002").metrics
        assert [point.step for point in history] == [0, 1, 2, 3, 4]
        assert history[-1].value == newest.metrics[2].value


def test_an_answer_is_complete_once_all_of_it_came() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        client = Client(listener.getsockname()[1])
        server, _ = listener.accept()
        with closing(client), server:
            asked = request(body(2))
            client.link.sendall(asked)
            came = server.recv(len(asked), socket.MSG_WAITALL)
            assert len(json.loads(came.partition(b"\r\n\r\n")[2])["dataframe_split"]["data"]) == 2
            pieces = []
            for piece in (b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nab", b"cde"):
                server.sendall(piece)
                pieces.append(client.received())
            assert pieces == [None, None, b"abcde"]
            server.sendall(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")
            with pytest.raises(RuntimeError, match="503"):
                client.received()


def test_a_scoring_server_is_judged_by_what_it_adds_and_by_mlflows() -> None:
    ours = dict.fromkeys(serving.ROWS, 2.0) | {serving.RATE: 500.0, serving.FIRST: 3.0}
    theirs = dict.fromkeys(serving.ROWS, 4.0) | {serving.RATE: 90.0}
    found = {serving.OURS: ours, serving.BATCHED: ours, serving.MLFLOW: theirs}
    table = {row: {name: values[row] for name, values in found.items()} for row in serving.ROWS}
    reached = {goal.name: goal.reached for goal in serving.goals(table, serving.Percentiles(1.5, 0.5))}
    assert reached == {
        "ms over the bare call, p50": True,
        "ms over the bare call, p95": False,
        f"times mlflow's {serving.RATE}, projrun": True,
        f"times mlflow's {serving.RATE}, projrun --max-batch": True,
        "of mlflow's start": False,
        "of mlflow's memory": True,
        "of mlflow's time for 1,000 rows": True,
    }


def test_logging_is_judged_by_a_bare_start_and_by_what_a_script_waits() -> None:
    ours = {logging.IMPORT: 9.0, logging.CALL: 1.5, logging.RATE: 60_000.0, logging.SCRIPT: 0.5}
    reached = {goal.name: goal.reached for goal in logging.goals({logging.OURS: ours}, bare=10.0)}
    assert reached == {
        "import, times a bare python start": True,
        "a call, µs of CPU": False,
        "points a second, end to end": True,
    }


@pytest.mark.processes
def test_a_benchmark_that_is_run_as_a_file_finds_pythons_own_modules() -> None:
    files = [file for file in Path(logging.__file__).parent.glob("*.py") if "__package__" in file.read_text()]
    assert len(files) > 5
    for file in files:
        run_command([sys.executable, file, "--help"]).check()
