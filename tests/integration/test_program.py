"""`projrun server` as people start and stop it."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from projrun.cli.execution import execute
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import require_tool
from tests.support.postgres import PASSWORD, PostgresServer
from tests.support.program import Program, projrun_server

pytestmark = pytest.mark.integration

_CREATE = "/api/2.0/mlflow/experiments/create"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A server of a new store."""
    with projrun_server(tmp_path) as program:
        yield program


def test_it_says_where_it_listens_and_what_it_serves(program: Program, tmp_path: Path) -> None:
    assert program.log.read_text(encoding="utf-8") == (
        f"projrun server: listening on {program.uri}; serves sqlite:///{tmp_path}/projrun.db\n"
    )
    assert urlopen(f"{program.uri}/health").read() == b"OK"


def test_it_starts_without_looking_for_garbage(tmp_path: Path) -> None:
    first = r"import gc, os; gc.callbacks.append(lambda phase, found: os.write(1, b'collected\n'))"
    with projrun_server(tmp_path, first=first) as program:
        assert program.log.read_text(encoding="utf-8").startswith("projrun server: listening")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_finish_and_ends_it_with_0(program: Program, number: signal.Signals) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
    connection.putrequest("POST", _CREATE)
    connection.putheader("Content-Type", "application/json")
    body = b'{"name": "finished"}'
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:5])
    urlopen(f"{program.uri}/health").read()  # by now the half request has come
    program.process.send_signal(number)
    _until_refused(program.port)
    connection.send(body[5:])
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b'{"experiment_id":"1"}')
    assert program.process.wait(120) == 0
    connection.close()


def test_idle_connections_do_not_hold_it_back(program: Program) -> None:
    idle = [socket.create_connection(("127.0.0.1", program.port)) for _ in range(5)]
    idle[0].sendall(b"GET /health HTTP/1.1\r\nHo")
    urlopen(f"{program.uri}/health").read()
    begin = time.monotonic()
    program.process.terminate()
    assert program.process.wait(120) == 0
    assert time.monotonic() - begin < 8  # requests under way would have that long
    for each in idle:
        each.close()


def test_the_second_signal_ends_it_at_once(program: Program) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
    connection.putrequest("POST", _CREATE)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "20")
    connection.endheaders(b"{")
    urlopen(f"{program.uri}/health").read()
    program.process.terminate()
    _until_refused(program.port)
    program.process.terminate()
    assert program.process.wait(120) == -signal.SIGTERM
    connection.close()


def test_two_signals_in_one_instant_are_one(tmp_path: Path) -> None:
    """A terminal and a supervisor may send one each."""
    first = """
import signal
def both(*of_the_third):
    # Both have come before Python sees one.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
signal.signal(signal.SIGUSR1, both)
"""
    with projrun_server(tmp_path, first=first) as program:
        before = program.log.read_text(encoding="utf-8")
        program.process.send_signal(signal.SIGUSR1)
        assert program.process.wait(120) == 0
        assert program.log.read_text(encoding="utf-8") == before


def test_a_port_in_use_is_an_error_that_says_so(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["server", "--port", str(program.port)]) == 2
    assert f"port {program.port} of 127.0.0.1 is in use" in capsys.readouterr().err


def test_the_next_server_can_take_the_port_at_once(tmp_path: Path) -> None:
    with projrun_server(tmp_path) as first:
        connection = http.client.HTTPConnection("127.0.0.1", first.port)
        connection.request("GET", "/health")
        connection.getresponse().read()
        connection.close()
        first.process.terminate()
        assert first.process.wait(120) == 0
        with projrun_server(tmp_path, port=first.port) as second:
            assert urlopen(f"{second.uri}/health").read() == b"OK"


def test_mlflows_variables_choose_the_store(tmp_path: Path) -> None:
    variables = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/other.db", "MLFLOW_HOST": "localhost"}
    with projrun_server(tmp_path, environ=variables) as program:
        assert program.log.read_text(encoding="utf-8").endswith(f"; serves sqlite:///{tmp_path}/other.db\n")
    assert not (tmp_path / "projrun.db").exists()


def test_a_server_without_its_reader_serves_on(tmp_path: Path) -> None:
    """`projrun server | head -1`: nobody reads what it says."""
    command = [sys.executable, "-m", "projrun", "server", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    uri = process.stdout.readline().split()[4].rstrip(";")
    process.stdout.close()
    try:
        assert urlopen(f"{uri}/health").read() == b"OK"
    finally:
        process.terminate()
        assert process.wait(120) == 0


def test_many_connections_that_send_nothing_hold_up_nobody(program: Program) -> None:
    silent = [_connected(program.port) for _ in range(1000)]
    half = [_connected(program.port) for _ in range(200)]
    for connection in half:
        connection.sendall(b"POST /api/2.0/mlflow/experiments/create HTTP/1.1\r\nContent-Length: 30\r\n\r\n{")
    answers: list[float] = []
    threads = [threading.Thread(target=_ask, args=(program, answers)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 40
    assert sorted(answers)[20] < 1
    for connection in silent + half:
        connection.close()


def test_a_request_that_does_not_come_on_ends_its_connection(tmp_path: Path) -> None:
    head = (
        b"POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    )
    upload = b"PUT /api/2.0/mlflow-artifacts/artifacts/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\n"
    with projrun_server(
        tmp_path, first="from projrun.http.serving import protocol; protocol.WINDOW = 0.4"
    ) as program:
        kept = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
        kept.request("GET", "/health")
        kept.getresponse().read()
        half = [_connected(program.port) for _ in range(4)]
        for connection, sent in zip(
            half, [head, head + b"Content-Length: 900\r\n\r\n", upload, b""], strict=True
        ):
            connection.sendall(sent)
        begin = time.monotonic()
        while not select.select(half[:1], [], [], 0.05)[0]:
            half[1].sendall(b" ")  # a byte now and then is no pace
            assert time.monotonic() - begin < 20
        for connection, answer in zip(
            half, [b"HTTP/1.1 408 ", b"HTTP/1.1 408 ", b"HTTP/1.1 408 ", b""], strict=True
        ):
            with closing(connection):
                assert connection.recv(13) == answer
        local = kept.sock.getsockname()
        kept.request("GET", "/health")
        assert kept.getresponse().read() == b"OK"
        assert kept.sock.getsockname() == local  # the same connection: idle, and not late
        kept.close()
        assert not list((tmp_path / "artifacts").glob("slow*"))


def test_systemd_hears_that_it_is_ready(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        supervisor.settimeout(30)
        with projrun_server(tmp_path, environ={"NOTIFY_SOCKET": address}):
            assert supervisor.recv(100) == b"READY=1"


def test_systemd_may_hand_over_the_socket(tmp_path: Path) -> None:
    script = (
        "import os, socket, sys\n"
        "one = socket.create_server(('127.0.0.1', 0)); os.dup2(one.fileno(), 3); os.set_inheritable(3, True)\n"
        "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'projrun', 'server'])"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        uri = process.stdout.readline().split()[4].rstrip(";")
        assert uri != "http://127.0.0.1:5000"
        assert urlopen(f"{uri}/health").read() == b"OK"
    finally:
        process.terminate()
        process.communicate(timeout=120)


def test_a_certificate_makes_it_https(tmp_path: Path) -> None:
    openssl = require_tool("openssl")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    with projrun_server(tmp_path, "--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)) as program:
        assert program.uri.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate))
        assert urlopen(f"{program.uri}/health", context=trusted).read() == b"OK"


def test_a_certificate_that_is_none_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("no certificate")
    assert execute(["server", "--port", "0", "--ssl-certfile", str(file)]) == 2
    assert f"the certificate {file} cannot be used" in capsys.readouterr().err


def test_models_and_artifacts_may_be_elsewhere(tmp_path: Path) -> None:
    options = ["--registry-store-uri", f"sqlite:///{tmp_path}/models.db"]
    options += ["--artifacts-destination", str(tmp_path / "files"), "--log-format", "json"]
    with projrun_server(tmp_path, *options) as program:
        _send(program, "POST", "/api/2.0/mlflow/registered-models/create", b'{"name": "wine"}')
        _send(program, "PUT", "/api/2.0/mlflow-artifacts/artifacts/a/b", b"content")
        program.process.terminate()
        assert program.process.wait(120) == 0
    assert (tmp_path / "files" / "a" / "b").read_bytes() == b"content"
    with closing(SqlStore.open(tmp_path / "models.db")) as store:
        assert part_of(store, ModelRegistry).get_registered_model("wine").name == "wine"
    lines = program.log.read_text(encoding="utf-8").splitlines()[1:]
    assert [json.loads(line)["status"] for line in lines] == [200, 200]


# Each answer says which process gives it, and whether its connection is without Nagle's delay, which would hold back
# what follows a small packet for 40 ms.
_SAY_NO_DELAY = """
import os, socket
from projrun.server.program.surroundings import Surroundings
answer = Surroundings.__call__
async def answer_and_say(self, scope, receive, send):
    connection = receive.__self__.transport.get_extra_info("socket")
    said = f"{os.getpid()} {connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0}"
    async def saying(message):
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-no-delay", said.encode())]
        await send(message)
    await answer(self, scope, receive, saying)
Surroundings.__call__ = answer_and_say
"""


def _no_delay(port: int, processes: int) -> set[str]:
    """Of new connections until so many processes have answered: whether they are without the delay."""
    found: dict[str, set[str]] = {}

    def ask() -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", "/health")
            response = connection.getresponse()
            assert response.read() == b"OK"
            process, said = response.headers["x-no-delay"].split()
            found.setdefault(process, set()).add(said)
        return len(found) == processes

    _until(ask)
    return set().union(*found.values())


def test_runs_of_clients_elsewhere_get_no_folder_before_they_have_artifacts(tmp_path: Path) -> None:
    with projrun_server(tmp_path) as program:
        body = json.dumps({"experiment_id": "0", "start_time": 1}).encode()
        created = json.loads(_send(program, "POST", "/api/2.0/mlflow/runs/create", body))
        place = created["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
        root = tmp_path / "artifacts"
        assert not (root / place).exists()
        _send(program, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{place}/file", b"text")
        assert (root / place / "file").read_bytes() == b"text"


def test_an_upload_over_the_limit_leaves_nothing(tmp_path: Path) -> None:
    place = "/api/2.0/mlflow-artifacts/artifacts/a"
    variables = {"PROJRUN_SERVER_UPLOAD_LIMIT": "1kB"}
    with projrun_server(tmp_path, environ=variables) as program:
        _send(program, "PUT", f"{place}/whole", bytes(1000))
        with pytest.raises(HTTPError) as refused:
            _send(program, "PUT", f"{place}/large", bytes(10_000_000))
        assert refused.value.code == 413
        refused.value.close()
        listed = _read(program, "/api/2.0/mlflow-artifacts/artifacts?path=a")
        assert [each["path"] for each in listed["files"]] == ["whole"]


def test_every_answer_leaves_at_once(tmp_path: Path) -> None:
    with projrun_server(tmp_path, first=_SAY_NO_DELAY) as program:
        assert _no_delay(program.port, 1) == {"True"}


def test_several_processes_serve_another_server(program: Program, tmp_path: Path) -> None:
    """A store of one writer has one process; what it serves, others may pass on."""
    (tmp_path / "front").mkdir()
    options = ["--backend-store-uri", program.uri, "--workers", "2"]
    with projrun_server(tmp_path / "front", *options, first=_SAY_NO_DELAY) as front:
        assert _no_delay(front.port, 2) == {"True"}
        _send(front, "POST", _CREATE, b'{"name": "passed on"}')
        workers = _children(front.process.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        _until(lambda: len(set(_children(front.process.pid)) - set(workers)) == 1)
        front.process.terminate()
        assert front.process.wait(120) == 0
    assert not any(map(_alive, workers))
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        assert store.get_experiment_by_name("passed on")


def test_several_processes_serve_a_store_in_postgresql(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    options = ["--backend-store-uri", postgres_server.uri(), "--workers", "2"]
    options += ["--artifacts-destination", str(tmp_path / "files")]
    with projrun_server(tmp_path, *options, first=_SAY_NO_DELAY) as program:
        assert PASSWORD not in program.log.read_text(encoding="utf-8")
        assert _no_delay(program.port, 2) == {"True"}
        names = [f"e{number}" for number in range(8)]
        for name in names:  # each on a connection of its own, so that both processes answer
            _send(program, "POST", _CREATE, json.dumps({"name": name}).encode())
        _send(program, "PUT", "/api/2.0/mlflow-artifacts/artifacts/a/b", b"content")
        found = _read(program, "/api/2.0/mlflow/experiments/search?max_results=100")
        assert {each["name"] for each in found["experiments"]} == {"Default", *names}
    assert (tmp_path / "files" / "a" / "b").read_bytes() == b"content"


def _read(program: Program, path: str) -> Any:
    with urlopen(f"{program.uri}{path}", timeout=60) as answer:
        return json.loads(answer.read())


def test_processes_end_with_the_first(program: Program, tmp_path: Path) -> None:
    (tmp_path / "front").mkdir()
    with projrun_server(tmp_path / "front", "--backend-store-uri", program.uri, "--workers", "2") as front:
        workers = _children(front.process.pid)
        front.process.kill()
        front.process.wait()
        _until(lambda: not any(_alive(pid) for pid in workers))


def _children(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return [int(row[0]) for row in rows if row[1] == str(pid) and not row[2].startswith("Z")]


def _alive(pid: int) -> bool:
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ui_serves_the_embedded_store_and_takes_another_port(tmp_path: Path) -> None:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with closing(taken):
        try:
            taken.bind(("127.0.0.1", 5000))
            taken.listen()
        except OSError:
            pass  # another program has it: it is in use all the same
        _look_at_ui(tmp_path)


def _look_at_ui(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "projrun", "ui"]
    variables = {**os.environ, "PROJRUN_HOME": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.endswith(f"; serves sqlite:///{tmp_path}/projrun.db\n")
        assert b"<title>projrun</title>" in urlopen(line.split()[4].rstrip(";")).read()
    finally:
        process.terminate()
        process.communicate(timeout=120)


def _send(program: Program, method: str, path: str, body: bytes) -> bytes:
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{program.uri}{path}", body, headers, method=method), timeout=60) as answer:
        assert answer.status == 200
        return bytes(answer.read())


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def _ask(program: Program, answers: list[float]) -> None:
    for _ in range(10):
        begin = time.monotonic()
        address = f"{program.uri}/api/2.0/mlflow/experiments/get?experiment_id=0"
        assert urlopen(address, timeout=60).status == 200
        answers.append(time.monotonic() - begin)


def _until_refused(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError("it still listens")
