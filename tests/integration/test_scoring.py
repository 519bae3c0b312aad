"""The scoring server and its workers: what they answer, and what becomes of workers that die, freeze or hang."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.scoring import Scoring, scoring_server, start_scoring, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]


@pytest.fixture
def serving(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> Iterator[Scoring]:
    """Two workers of a model that does what it is told."""
    with scoring_server(
        mlflow3_python,
        scoring_models / "obedient",
        tmp_path / "log",
        workers=2,
        max_body=1_000_000,
    ) as scoring:
        yield scoring


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(scoring: Scoring, command: str = "pid") -> int:
    reply = scoring.predict(command)
    assert reply.status == 200, reply
    value: Any = reply.value
    return int(value["predictions"][0])


def worker_pids(scoring: Scoring) -> set[int]:
    """The processes that have the model loaded."""
    text = scoring.send(path="/metrics", method="GET", kind=None).body.decode()
    return {
        int(pid)
        for pid in re.findall(r'^projrun_model_worker_memory_bytes{.*pid="(\d+)"', text, re.MULTILINE)
    }


def both(scoring: Scoring) -> set[int]:
    """The processes that answer."""
    with ThreadPoolExecutor(2) as threads:
        return set(threads.map(lambda _: pid_of(scoring, "sleep 0.3"), range(2)))


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_bodies_of_mlflow_1_are_answered_and_marked(serving: Scoring) -> None:
    reply = serving.send(json.dumps({"columns": ["command"], "data": [["pid"]]}))
    assert (reply.status, reply.headers["deprecation"]) == (200, "true")
    assert "deprecation" not in serving.predict("pid").headers


def test_workers_killed_under_load_cost_at_most_the_request_in_flight(serving: Scoring) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(serving.predict("sleep 0.02").status for _ in range(60))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    killed = set()
    for _ in range(2):
        time.sleep(0.3)
        victim = pid_of(serving)
        killed.add(victim)
        os.kill(victim, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert len(statuses) == 240
    assert statuses.count(503) <= len(killed)
    assert set(statuses) <= {200, 503}
    wait_until("both are back", lambda: len(both(serving) - killed) == 2)


def test_a_request_whose_worker_dies_is_told_so_in_mlflows_shape(serving: Scoring) -> None:
    reply = serving.predict("die")
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.value == {
        "error_code": "TEMPORARILY_UNAVAILABLE",
        "message": "The process of the model died while it answered this request.",
    }


def test_a_frozen_worker_is_replaced(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> None:
    with scoring_server(
        mlflow3_python, scoring_models / "obedient", tmp_path / "log", timeout=1.0
    ) as scoring:
        (frozen,) = worker_pids(scoring)
        os.kill(frozen, signal.SIGSTOP)
        reply = scoring.predict("pid")
        assert (reply.status, reply.body) == (504, b"Request processing time exceeded limit")
        wait_until("another answers", lambda: scoring.predict("pid").status == 200)
        assert not is_alive(frozen)


def test_what_the_model_prints_and_how_it_fails_is_in_the_log(serving: Scoring) -> None:
    assert serving.predict("print hello from the model").status == 200
    reply = serving.predict("set")
    assert (reply.status, reply.value) == (
        500,
        {
            "error_code": "INTERNAL_ERROR",
            "message": "The model failed: TypeError: Object of type set is not JSON serializable",
        },
    )
    serving.process.terminate()
    serving.process.wait()
    log = serving.log.read_text("utf-8")
    assert "hello from the model" in log
    assert "TypeError: Object of type set" in log


def test_a_model_that_cannot_be_loaded_says_why(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    process = start_scoring(mlflow3_python, scoring_models / "broken", tmp_path / "log")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    assert output == "error: model 'm' cannot be loaded: RuntimeError: the weights are not there\n"
    assert "in load_context" in (tmp_path / "log").read_text("utf-8")


def test_a_signal_ends_the_server_after_the_requests_under_way(serving: Scoring) -> None:
    workers = worker_pids(serving)
    with serving.busy() as release:
        serving.process.send_signal(signal.SIGTERM)
        wait_until("it takes no more", lambda: not is_open(serving.port))
        release()
    assert serving.process.wait(120) == 0
    assert not any(map(is_alive, workers))


def test_workers_end_when_the_server_was_killed(serving: Scoring) -> None:
    workers = worker_pids(serving)
    serving.process.kill()
    serving.process.wait()
    wait_until("they are gone", lambda: not any(map(is_alive, workers)))


def test_a_reload_loses_no_request(serving: Scoring) -> None:
    before = worker_pids(serving)
    statuses = []
    serving.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while any(map(is_alive, before)):
        statuses.append(serving.predict("sleep 0.01").status)
        assert time.monotonic() < deadline
    assert set(statuses) == {200}
    assert not both(serving) & before


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_body_is_refused(serving: Scoring, declared: bool) -> None:
    with socket.create_connection(("127.0.0.1", serving.port)) as link:
        head = "POST /invocations HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
        if declared:
            link.sendall(f"{head}content-length: 1000001\r\n\r\n".encode())
        else:
            link.sendall(f"{head}transfer-encoding: chunked\r\n\r\n{1000001:x}\r\n".encode() + b"x" * 1000001)
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"larger than 1000000 bytes" in answer


def test_idle_and_slow_clients_block_nobody(serving: Scoring) -> None:
    links = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(300)]
    try:
        for link in links[:100]:
            link.sendall(b"POST /invocations HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\n{")
        begin = time.monotonic()
        assert serving.predict("pid").status == 200
        assert time.monotonic() - begin < 10  # a busy machine's; idle connections stay for a minute
    finally:
        for link in links:
            link.close()


def test_requests_beyond_the_queue_are_refused(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    model, options = scoring_models / "obedient", {"max_waiting": 1}
    with (
        scoring_server(mlflow3_python, model, tmp_path / "log", **options) as scoring,
        ThreadPoolExecutor(1) as threads,
        scoring.busy() as release,
    ):
        waits = threads.submit(scoring.predict, "pid")
        wait_until("one waits", lambda: scoring.gauge("requests_waiting") == 1)
        assert [scoring.predict("pid").status for _ in range(2)] == [503, 503]
        release()
        assert waits.result().status == 200
