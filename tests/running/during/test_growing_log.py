"""The log goes up while the command runs: from time to time, cut off when the command ends, never in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.running.during import growing_log
from projrun.running.during.growing_log import GrowingLog
from projrun.tracking.rest.store import RestStore
from tests.tracking.loopback import Answer, Received, always, closed_port, serve

URI = "mlflow-artifacts:/0/run/artifacts"


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Lease]:
    lease = Lease(tmp_path / "active" / "run", Mark("run", "store"))
    lease.log_file.write_text("first\n")
    yield lease
    lease.release()


@contextmanager
def growing(uri: str, lease: Lease) -> Iterator[GrowingLog]:
    """A log that is uploaded until the block ends."""
    over = Event()
    log = GrowingLog(lambda: RestStore(uri, {}), URI, lease, over)
    thread = Thread(target=log.run)
    thread.start()
    try:
        yield log
    finally:
        over.set()
        log.give_up()
        thread.join(10)
        assert not thread.is_alive()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the shortest pauses."""
    monkeypatch.setattr(growing_log, "_SHORTEST", 0.01)
    monkeypatch.setattr(growing_log, "_SHARE", 0)


@pytest.mark.usefixtures("hasty")
def test_what_was_added_goes_up_and_what_was_not_does_not(lease: Lease) -> None:
    with serve(always(Answer())) as server, growing(server.uri, lease):
        until(lambda: server.received)
        time.sleep(0.1)
        with lease.log_file.open("a") as file:
            file.write("10%\r20%\r")
        until(lambda: len(server.received) > 1)
    assert [one.body for one in server.received] == [b"first\n", b"first\n20%"]
    assert all(one.path.endswith("/0/run/artifacts/logs/output.log") for one in server.received)
    assert not (lease.scratch / "growing.log").exists()


@pytest.mark.usefixtures("hasty")
def test_a_failure_ends_it_for_a_while(lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_log, "_AFTER_FAILURE", 0.2)
    failing, times = [Answer(status=503), Answer()], list[float]()

    def answer(received: Received) -> Answer:
        times.append(time.monotonic())
        return failing.pop(0)

    with serve(answer) as server, growing(server.uri, lease):
        until(lambda: len(times) > 1)
    assert times[1] - times[0] >= 0.2


def test_uploads_take_a_fiftieth_of_the_time(lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_log, "_SHORTEST", 0.01)
    times: list[float] = []

    def slow(received: Received) -> Answer:
        times.append(time.monotonic())
        time.sleep(0.005)
        with lease.log_file.open("a") as file:
            file.write("more\n")
        return Answer()

    with serve(slow) as server, growing(server.uri, lease):
        until(lambda: len(times) > 1)
    assert times[1] - times[0] > 50 * 0.005


class SlowServer(ThreadingHTTPServer):
    """Takes the beginning of a file, and the rest later."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Slow)
        self.begun, self.proceed = Event(), Event()
        self.whole: bool | None = None


class _Slow(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        server = self.server
        assert isinstance(server, SlowServer)
        size = int(self.headers["Content-Length"])
        self.rfile.read(1000)
        server.begun.set()
        server.proceed.wait(60)
        server.whole = len(self.rfile.read(size - 1000)) == size - 1000

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


def test_an_upload_that_is_under_way_never_arrives_after_the_last_one(lease: Lease) -> None:
    lease.log_file.write_bytes(b"line\n" * 4_000_000)
    with SlowServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with growing(f"http://127.0.0.1:{server.server_address[1]}", lease) as log:
            assert server.begun.wait(60)
            log.give_up()
            server.proceed.set()
        server.shutdown()
    assert server.whole is False


def test_a_server_that_is_gone_ends_it_quietly(lease: Lease) -> None:
    with closed_port() as uri, growing(uri, lease):
        time.sleep(0.05)
