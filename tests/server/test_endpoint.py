"""The endpoint's life: cheap to open, started by its first client, closed to all but those who know the path."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore
from tests.server.client import API, FILES, Client


def test_address_is_loopback_with_a_secret(endpoint: Endpoint) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", endpoint.secret)
    assert re.fullmatch(rf"http://127\.0\.0\.1:\d+/{endpoint.secret}", endpoint.uri)


def test_secrets_differ(database: Path) -> None:
    with (
        Endpoint.open(lambda: SqlStore.open(database)) as first,
        Endpoint.open(lambda: SqlStore.open(database)) as second,
    ):
        assert first.secret != second.secret
        assert first.uri.rpartition("/")[0] != second.uri.rpartition("/")[0]


@pytest.mark.parametrize("prefix", ["", "/", "/x", "/" + "0" * 32, "//", "/%00", "/%ff", "/%C3%A9"])
def test_without_the_secret_nothing_is_there(client: Client, prefix: str) -> None:
    for path in (f"{API}experiments/get?experiment_id=0", "/health", f"{FILES}/x", ""):
        answer = client.send("GET", path or "/", prefix=prefix)
        assert answer.error == (404, "ENDPOINT_NOT_FOUND")
        assert answer.json["message"] == "no such endpoint"


def test_secret_must_be_whole(client: Client, endpoint: Endpoint) -> None:
    for prefix in (f"/{endpoint.secret[:-1]}", f"/{endpoint.secret}0", f"/{endpoint.secret.upper()}x"):
        assert client.send("GET", "/health", prefix=prefix).error == (404, "ENDPOINT_NOT_FOUND")
    assert client.send("GET", "/health").body == b"OK"


@pytest.mark.processes
def test_unused_endpoint_closes_at_once_and_imports_nothing(database: Path) -> None:
    script = (
        "import sys, time; from projrun.server.endpoint import Endpoint\n"
        "with Endpoint.open(lambda: sys.exit('the store was opened')) as endpoint:\n"
        "    before = time.perf_counter()\n"
        "assert time.perf_counter() - before < 4, 'it waited for clients'\n"
        "assert not endpoint._thread.is_alive()\n"
        "heavy = {'asyncio', 'starlette', 'uvicorn', 'msgspec', 'anyio', 'sqlite3', 'http', 'ssl', 'logging'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(database)], check=True, timeout=30)


@pytest.mark.processes
def test_serving_leaves_the_process_alone(database: Path) -> None:
    """No output, no handler of a signal, no logging set up: the process is the runner's."""
    script = (
        "import signal, sys, threading, urllib.request; from pathlib import Path\n"
        "from projrun.server.endpoint import Endpoint\n"
        "from projrun.tracking.sql.store import SqlStore\n"
        "before = [signal.getsignal(n) for n in signal.valid_signals()]\n"
        "with Endpoint.open(lambda: SqlStore.open(Path(sys.argv[1]))) as endpoint:\n"
        "    assert urllib.request.urlopen(endpoint.uri + '/health').read() == b'OK'\n"
        "    try: urllib.request.urlopen(endpoint.uri + '/api/2.0/mlflow/runs/get')\n"
        "    except urllib.error.HTTPError as error: error.close()\n"
        "    assert [signal.getsignal(n) for n in signal.valid_signals()] == before\n"
        "import logging\n"
        "assert logging.getLogger().handlers == []\n"
        "assert threading.enumerate() == [threading.main_thread()], threading.enumerate()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", script, str(database)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    # A busy machine is slow: asyncio's debug mode says so, and nothing else may be said.
    said = re.sub(rb"Executing <Task .* took [0-9.]+ seconds\n", b"", done.stderr)
    assert (done.stdout, said) == (b"", b"")


def test_first_client_may_close_again_without_a_word(database: Path) -> None:
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        socket.create_connection(_address(endpoint)).close()
        with closing(Client(endpoint)) as client:
            assert client.send("GET", "/health").status == 200


def test_request_under_way_is_finished_on_close(database: Path, tmp_path: Path) -> None:
    endpoint = Endpoint.open(lambda: SqlStore.open(database))
    client = Client(endpoint)
    sent, closing_began = threading.Event(), threading.Event()

    def parts() -> Iterator[bytes]:
        yield b"a" * 10
        sent.set()
        closing_began.wait(60)
        time.sleep(0.3)
        yield b"b" * 10

    answers: list[int] = []
    uploader = threading.Thread(
        target=lambda: answers.append(client.send("PUT", f"{FILES}/0/x", parts()).status)
    )
    uploader.start()
    assert sent.wait(60)
    time.sleep(0.2)
    closing_began.set()
    endpoint.close()
    uploader.join(60)
    client.close()
    assert answers == [200]
    assert (database.parent / "artifacts/0/x").read_bytes() == b"a" * 10 + b"b" * 10


def test_close_does_not_wait_for_a_client_that_hangs(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projrun.server.endpoint.GRACE", 1.0)
    endpoint = Endpoint.open(lambda: SqlStore.open(database))
    with socket.create_connection(_address(endpoint)) as hanging:
        hanging.sendall(
            f"PUT /{endpoint.secret}{FILES}/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab".encode()
        )
        time.sleep(0.5)
        before = time.monotonic()
        endpoint.close()
        assert time.monotonic() - before < 20
        assert not endpoint._thread.is_alive()
    assert list((database.parent / "artifacts").iterdir()) == []


def test_idle_connection_does_not_hold_up_the_end(database: Path) -> None:
    endpoint = Endpoint.open(lambda: SqlStore.open(database))
    with closing(Client(endpoint)) as client:
        assert client.send("GET", "/health").status == 200
        before = time.monotonic()
        endpoint.close()
        assert time.monotonic() - before < 4  # less than GRACE


def test_closed_endpoint_refuses(database: Path) -> None:
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        address = _address(endpoint)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    endpoint.close()


def test_store_that_cannot_be_used_is_told_to_the_client(tmp_path: Path) -> None:
    file = tmp_path / "projrun.db"
    file.write_text("not a store")
    with Endpoint.open(lambda: SqlStore.open(file)) as endpoint, closing(Client(endpoint)) as client:
        answer = client.get("experiments/get", experiment_id=0)
        assert answer.error == (400, "INVALID_PARAMETER_VALUE")
        assert "not a projrun store" in answer.json["message"]


def test_locked_store_is_worth_another_try(
    database: Path, client: Client, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projrun.server.stores.LOCK_WAIT", 0.2)
    with Endpoint.open(lambda: SqlStore.open(database)) as other, closing(Client(other)) as impatient:
        assert impatient.post("runs/set-tag", run_id=run_id, key="a", value="1").status == 200
        with closing(SqlStore.open(database)) as store, store._engine.writing():
            answer = impatient.post("runs/set-tag", run_id=run_id, key="a", value="2")
        assert answer.error == (503, "TEMPORARILY_UNAVAILABLE")


def test_many_clients_at_once(endpoint: Endpoint, run_id: str, database: Path) -> None:
    failures: list[object] = []

    def work(step: int) -> None:
        with closing(Client(endpoint)) as client:
            for number in range(25):
                message = {"run_id": run_id, "key": "m", "value": 1.5, "timestamp": number, "step": step}
                answer = client.post("runs/log-metric", **message)
                if answer.status != 200:
                    failures.append(answer)

    threads = [threading.Thread(target=work, args=(step,)) for step in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with closing(SqlStore.open(database)) as store:
        assert len(store.get_metric_history(run_id, "m").metrics) == 200


def _address(endpoint: Endpoint) -> tuple[str, int]:
    return "127.0.0.1", int(endpoint.uri.split(":")[2].split("/")[0])


def test_a_head_without_end_is_not_kept(endpoint: Endpoint) -> None:
    address = urlsplit(endpoint.uri)
    with socket.create_connection(("127.0.0.1", address.port or 0), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        answer = b""
        with suppress(ConnectionError):
            while not answer:
                connection.sendall(bytes([97]) * 16384)
                connection.settimeout(0.05)
                with suppress(TimeoutError):
                    answer = connection.recv(1000)
        assert answer.startswith(b"HTTP/1.1 400")


def test_a_large_body_after_a_small_head_is_taken(client: Client) -> None:
    body = b'{"experiment_ids": ["0"], "unknown": "%s"}' % (b"x" * 500_000)
    for _ in range(2):
        assert client.send("POST", f"{API}runs/search", body).status == 200
