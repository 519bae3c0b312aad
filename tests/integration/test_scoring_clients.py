"""Clients that leave, and bodies that wait: what is not computed, and what is refused."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.scoring import Scoring, scoring_server, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]

LIMIT = 1_000_000


@pytest.fixture
def scoring(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> Iterator[Scoring]:
    """One worker of a model that does what it is asked."""
    model = scoring_models / "obedient"
    with scoring_server(mlflow3_python, model, tmp_path / "log", max_queue=LIMIT) as server:
        yield server


def head(size: int) -> bytes:
    words = "POST /invocations HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length:"
    return f"{words} {size}\r\n\r\n".encode()


def body(command: str, size: int = 0) -> bytes:
    """A request's body, filled up with spaces."""
    text = json.dumps({"dataframe_split": {"columns": ["command"], "data": [[command]]}})
    return text.encode().ljust(size)


def wait_for_waiting(scoring: Scoring, count: int) -> None:
    wait_until(f"{count} requests wait", lambda: scoring.gauge("requests_waiting") == count)


def wait_until_read(link: socket.socket) -> None:
    """Until the other side has taken from the system all that was sent."""
    mine, other = (
        f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}"
        for host, port in (link.getsockname(), link.getpeername())
    )

    def is_read() -> bool:
        # A socket may be missing while others come and go.
        lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()]
        waiting = {(line[1], line[2]): line[4].split(":") for line in lines[1:]}
        return (
            waiting.get((mine, other), [""])[0]  # to be sent
            == waiting.get((other, mine), [""])[-1]  # to be read
            == "00000000"
        )

    wait_until("all is read", is_read)


def test_what_nobody_waits_for_is_not_computed(scoring: Scoring) -> None:
    with scoring.busy() as release:
        links = [socket.create_connection(("127.0.0.1", scoring.port)) for _ in range(6)]
        for number, link in enumerate(links):
            content = body(f"print request {number}")
            link.sendall(head(len(content)) + content)
        wait_for_waiting(scoring, 6)
        for link in links[:-1]:
            link.close()
        wait_for_waiting(scoring, 1)
        release()
        assert links[-1].recv(12) == b"HTTP/1.1 200"
        links[-1].close()
    assert [line for line in scoring.log.read_text("utf-8").splitlines() if "request" in line] == [
        "request 5"
    ]


def test_bodies_that_wait_are_bounded(scoring: Scoring) -> None:
    with scoring.busy() as release, ThreadPoolExecutor(1) as threads:
        waits = threads.submit(scoring.send, body("pid", LIMIT // 2))
        wait_for_waiting(scoring, 1)
        refused = scoring.send(body("pid", LIMIT))
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert b'"error_code":"TEMPORARILY_UNAVAILABLE"' in refused.body
        release()
        assert waits.result().status == 200
    assert scoring.send(body("pid", LIMIT // 2)).status == 200
    assert scoring.send(body("pid", LIMIT)).status == 200
    assert scoring.send(body("pid", LIMIT + 1)).status == 413  # no other would be answered meanwhile


def test_who_sends_a_body_that_is_refused_reads_why(scoring: Scoring) -> None:
    """Also one that looks for an answer only when all is sent, over a slow line."""
    with socket.create_connection(("127.0.0.1", scoring.port)) as link:
        link.sendall(head(20 * LIMIT))
        for _ in range(20):
            time.sleep(0.05)
            link.sendall(bytes(LIMIT))
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"larger than" in answer


def test_bodies_that_do_not_come_to_an_end_count_until_their_clients_leave(scoring: Scoring) -> None:
    large = body("pid", LIMIT // 10)
    with socket.create_connection(("127.0.0.1", scoring.port)) as slow:
        slow.sendall(head(LIMIT) + bytes(LIMIT - 1000))
        wait_until_read(slow)  # a request that comes meanwhile would have it refused
        assert scoring.send(large).status == 503
        assert scoring.send(body("pid", LIMIT // 20)).status == 200  # what is small goes through
    wait_until("it has left", lambda: scoring.send(large).status == 200)
