"""Calls that end in time, whatever the other side does, and the deadline of all of them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import OverdueError, TrackingError
from projrun.tracking import runs
from projrun.tracking.bounded import Bounded, LateError
from projrun.tracking.rest import transport
from projrun.tracking.rest.store import RestStore
from projrun.tracking.runs import Deadline


def trickle(connection: socket.socket, start: bytes, stopped: threading.Event) -> None:
    with contextlib.suppress(OSError), connection:
        connection.recv(65536)
        connection.sendall(start)
        while not stopped.wait(0.05):
            connection.sendall(b" ")


@contextlib.contextmanager
def trickling(start: bytes) -> Iterator[str]:
    """A server that sends the start of an answer, then a byte now and then, for ever."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=trickle, args=(connection, start, stopped), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stopped.set()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWERS = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 2",
    "half a head": HEAD,
    "half a body": HEAD + b'Content-Length: 90000\r\n\r\n{"a":',
    "a body without a length": HEAD + b'\r\n{"a":',
    "an error": b"HTTP/1.1 500 Oh\r\nContent-Length: 90000\r\n\r\n",
}


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_ANSWER_TIMEOUT", 0.3)
    monkeypatch.setattr(transport, "_FILE_TIMEOUT", 0.3)
    monkeypatch.setattr(runs, "_PATIENCE", 0.2)


@pytest.mark.parametrize("start", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_server_that_sends_a_byte_now_and_then_is_left_in_time(start: bytes) -> None:
    began = time.monotonic()
    with (
        trickling(start) as uri,
        closing(RestStore(uri, {})) as store,
        pytest.raises(TrackingError) as caught,
    ):
        store.get_run("r1")
    assert time.monotonic() - began < 20
    assert caught.value.message.endswith("no answer within 0.3 s")


def test_a_download_that_trickles_ends(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n"
    late = pytest.raises(TrackingError, match=r"no answer within 0\.3 s")
    with trickling(head) as uri, closing(RestStore(uri, {})) as store, late:
        store.transport.download("a", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_the_deadline_ends_the_calls_and_the_pauses_between_them() -> None:
    told: list[str] = []
    deadline = Deadline(None, lambda: told.append("waiting"))
    began = time.monotonic()
    with trickling(b"") as uri, closing(RestStore(uri, {}, patient=True, deadline=deadline)) as store:
        deadline.begin(0.25)
        with pytest.raises(OverdueError, match="--end-timeout"):
            store.get_run("r1")
        with pytest.raises(OverdueError):  # at once
            store.get_run("r1")
        with pytest.raises(OverdueError):
            deadline.pause(60)
    assert 0.25 < time.monotonic() - began < 20
    assert told == ["waiting"]
    deadline.extend(60)
    deadline.check()


def test_a_signal_ends_them_at_once() -> None:
    arrived: list[int] = []
    deadline = Deadline(lambda: bool(arrived))
    threading.Timer(0.1, arrived.append, [15]).start()
    began = time.monotonic()
    with pytest.raises(OverdueError, match="interrupted"):
        deadline.pause(60)
    arrived.clear()
    threading.Timer(0.1, arrived.append, [15]).start()
    with trickling(b"") as uri, closing(RestStore(uri, {}, deadline=deadline)) as store:
        store.transport._timeout = 60
        with pytest.raises(OverdueError, match="interrupted"):
            store.get_run("r1")
    assert time.monotonic() - began < 30


def test_a_large_file_may_take_longer_for_what_moves() -> None:
    work = Bounded[int](0.3, None)

    def slowly() -> int:
        return sum(len(piece) for piece in work.moving(pause_before(b"x" * 65536)))

    assert work.call(slowly) == 4 * 65536


def pause_before(piece: bytes) -> Iterator[bytes]:
    for _ in range(4):
        time.sleep(0.2)
        yield piece


def test_what_the_action_raises_is_raised_and_late_work_moves_no_more() -> None:
    def fail() -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        Bounded[None](1, None).call(fail)
    ended = threading.Event()
    work = Bounded[None](0.1, None)

    def endless() -> None:
        try:
            for _ in work.moving(itertools.repeat(b"")):
                time.sleep(0.02)
        finally:
            ended.set()

    with pytest.raises(LateError):
        work.call(endless)
    assert ended.wait(60)
