"""A scoring server among faults: garbage, clients that dawdle, killed workers, a full disk, and time."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.commands import Completed, missing, run_projrun
from tests.support.program import projrun_server
from tests.support.scoring import Scoring, scoring_server, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]

CODE = """
import os, time

class Model:
    def predict(self, data):
        time.sleep(float(max(row[0] for row in data)))
        return [os.getpid() for _ in data]

def _load_pyfunc(path):
    return Model()
"""
HEAD = "POST /invocations HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: "


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Sleeps for as long as the first number of a row says, and predicts the number of its process."""
    folder = tmp_path / "sleeping"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "sleeping_model.py").write_text(CODE)
    function = "{loader_module: sleeping_model, code: code}"
    (folder / "MLmodel").write_text(f"flavors: {{python_function: {function}}}\nmlflow_version: 3.1.0\n")
    return folder


Start = Callable[..., Scoring]


@pytest.fixture
def start(mlflow3_python: Path, model: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a server of that model."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            scoring_server(mlflow3_python, model, tmp_path / "log", **options)
        )


def body(*seconds: float) -> bytes:
    return json.dumps({"instances": [[each, number] for number, each in enumerate(seconds)]}).encode()


def ask(scoring: Scoring, *seconds: float) -> tuple[int, list[int]]:
    """The status, and the processes that answered."""
    reply = scoring.send(body(*seconds))
    value = reply.value
    return reply.status, value["predictions"] if isinstance(value, dict) and reply.status == 200 else []


def workers(scoring: Scoring) -> set[int]:
    """The two processes that answer."""
    found: set[int] = set()

    def both() -> bool:
        nonlocal found
        with ThreadPoolExecutor(2) as threads:  # a busy machine may send one after the other
            found = {pid for _, pids in threads.map(lambda _: ask(scoring, 0.3), range(2)) for pid in pids}
        return len(found) == 2

    wait_until("both answer", both)
    return found


def mangled(chance: random.Random) -> bytes:
    """A body that was right once."""
    data = bytearray(
        chance.choice((body(0), b'{"dataframe_split": {"columns": ["a"], "data": [[0]]}}', b"a,b\n0,1\n"))
    )
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(data) + 1)
        data[place : place + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
    return bytes(data)


def garbage(start: Start, count: int) -> None:
    scoring = start(workers=2, max_body=10_000)
    before, chance = workers(scoring), random.Random(13)
    statuses = set()
    for _ in range(count):
        kind = chance.choice(
            ("application/json", "application/json", "text/csv", "application/octet-stream", "\xff")
        )
        reply = scoring.send(mangled(chance), kind)
        statuses.add(reply.status)
        assert reply.status in (200, 400, 415), reply
        with (
            socket.create_connection(("127.0.0.1", scoring.port), timeout=60) as link,
            suppress(ConnectionError),
        ):
            head = HEAD.encode() if chance.random() < 0.5 else b""
            link.sendall(head + chance.randbytes(chance.randrange(200)) + b"\r\n\r\n")
            link.shutdown(socket.SHUT_WR)
            while link.recv(4096):
                pass
    assert {200, 400, 415} == statuses
    assert workers(scoring) == before


def test_garbage_gets_an_answer_and_harms_no_worker(start: Start) -> None:
    garbage(start, 300)


@pytest.mark.large
def test_much_garbage_harms_no_worker(start: Start) -> None:
    garbage(start, 30_000)


def test_slow_clients_hold_up_no_other(start: Start) -> None:
    scoring = start()
    with ExitStack() as stack:
        links = [
            stack.enter_context(socket.create_connection(("127.0.0.1", scoring.port))) for _ in range(200)
        ]
        whole = HEAD.encode() + b"100\r\n\r\n" + body(0)
        took = []
        for place in range(60):
            for link in links:
                link.sendall(whole[place : place + 1])
            begin = time.monotonic()
            assert ask(scoring, 0)[0] == 200
            took.append(time.monotonic() - begin)
    assert sorted(took)[len(took) // 2] < 5  # a busy machine's; they take all that time to send 60 bytes


@pytest.mark.large
def test_slow_clients_are_ended(start: Start) -> None:
    scoring = start()
    with ExitStack() as stack:
        links = [
            stack.enter_context(socket.create_connection(("127.0.0.1", scoring.port))) for _ in range(50)
        ]
        deadline = time.monotonic() + 150
        ended = 0
        while ended < len(links):
            assert time.monotonic() < deadline
            time.sleep(1)
            ended = 0
            for link in links:
                try:
                    link.sendall(b"x")
                except OSError:
                    ended += 1
        assert ask(scoring, 0)[0] == 200


def test_a_thousand_idle_connections_leave_room_for_others(start: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        missing(f"this user may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # what a server is started with
    try:
        scoring = start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    try:
        with ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(socket.create_connection(("127.0.0.1", scoring.port)))
            begin = time.monotonic()
            assert ask(scoring, 0)[0] == 200
            assert time.monotonic() - begin < 10  # a busy machine's; idle connections stay for a minute
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def killed(start: Start, kills: int, **options: object) -> None:
    """Kill a worker again and again; each request is answered, with 503 where its own worker was killed."""
    scoring = start(workers=2, **options)
    statuses: list[int] = []
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            statuses.append(ask(scoring, 0.01)[0])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        time.sleep(0.3)
        status, pids = ask(scoring, 0.005)
        while status != 200:
            status, pids = ask(scoring, 0.005)
        os.kill(pids[0], signal.SIGKILL)
    done.set()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) <= kills
    assert statuses.count(200) > kills
    workers(scoring)


def test_killed_workers_cost_one_request_each(start: Start) -> None:
    killed(start, 4)


@pytest.mark.large
@pytest.mark.parametrize("max_batch", [1, 32])
def test_many_killed_workers_cost_one_request_each(start: Start, max_batch: int) -> None:
    killed(start, 40, max_batch=max_batch)


class Held(NamedTuple):
    """What the processes of a server hold."""

    memory: float
    """MB that are theirs alone: of what they share with others, the part depends on how many there are."""
    descriptors: int


def held(scoring: Scoring, pids: Sequence[int]) -> Held:
    """Of the server, and of its workers."""
    memory, descriptors = 0, 0
    for pid in (scoring.process.pid, *pids):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        memory += next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))
        descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Held(memory / 1000, descriptors)


def soak(start: Start, seconds: float) -> None:
    """Ask in all ways; once all ways were taken by both workers, and after another quarter, nothing grows."""
    scoring = start(workers=2, max_batch=16, max_body=100_000)
    pids = sorted(workers(scoring))
    done = threading.Event()
    count = 0

    def work(seed: int) -> None:
        nonlocal count
        chance = random.Random(seed)
        while not done.is_set():
            count += 1
            odd = chance.random()
            if odd < 0.1:
                scoring.send(mangled(chance))
            elif odd < 0.15:
                scoring.send(bytes(100_001))
            elif odd < 0.25:
                with socket.create_connection(("127.0.0.1", scoring.port)) as link:
                    link.sendall(HEAD.encode() + b"1000\r\n\r\n" + body(0))
            else:
                assert ask(scoring, *[0.001] * chance.randrange(1, 9))[0] == 200

    with ThreadPoolExecutor(8) as threads:
        works = [threads.submit(work, seed) for seed in range(8)]
        readings = []
        try:
            wait_until("the first requests", lambda: count > 400)
            for _ in range(8):
                time.sleep(seconds / 8)
                readings.append(held(scoring, pids))
                print(f"{count} requests, {readings[-1]}")
        finally:
            done.set()
        for each in works:
            each.result()
    early = readings[1]
    wait_until("connections are closed", lambda: held(scoring, pids).descriptors <= early.descriptors)
    last = held(scoring, pids)
    print(f"{count} requests, {last}")
    assert sorted(workers(scoring)) == pids
    assert last.memory - early.memory < 5, readings


def test_nothing_grows(start: Start) -> None:
    soak(start, 6)


@pytest.mark.large
def test_nothing_grows_for_long(start: Start) -> None:
    soak(start, 60 * float(os.environ.get("SOAK_MINUTES", "10")))


@contextmanager
def small_disk(place: Path) -> Iterator[Callable[[str], None]]:
    """A disk of 1 MB; gives what makes it larger."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, text=True
    )
    if done.returncode != 0:
        missing(f"only root can mount a small disk: {done.stderr.strip()}")

    def enlarge(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)

    try:
        yield enlarge
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_is_full_leaves_no_half_of_a_model(
    mlflow3_python: Path, model: Path, tmp_path: Path
) -> None:
    (model / "weights").write_bytes(os.urandom(3_000_000))
    (tmp_path / "server").mkdir()
    with projrun_server(tmp_path / "server") as server, small_disk(tmp_path / "disk") as enlarge:
        words = ("--tracking-uri", server.uri)
        run_projrun("models", "register", model, "sleeping", environ=environ(tmp_path / "server")).check()
        predict = (
            "models",
            "predict",
            "-m",
            "models:/sleeping/1",
            "--trust",
            "--env",
            mlflow3_python.parent.parent,
        )

        def predicted() -> Completed:
            return run_projrun(
                *predict, *words, stdin=body(0).decode(), environ=environ(cache=tmp_path / "disk")
            )

        done = predicted()
        assert done.returncode not in (0, 1)
        (error,) = [line for line in done.stderr.splitlines() if "error:" in line]
        assert "No space left on device" in error
        left = sum(file.stat().st_size for file in (tmp_path / "disk").rglob("*") if file.is_file())
        assert left < 100_000
        written = run_projrun("models", "dockerfile", "-m", model, "-d", tmp_path / "disk" / "image")
        assert f"{tmp_path / 'disk' / 'image'} cannot be used: No space left on device" in written.stderr
        enlarge("20m")
        assert "predictions" in predicted().check().stdout


def environ(home: Path | None = None, cache: Path | None = None) -> Mapping[str, str]:
    more = {"PROJRUN_HOME": str(home)} if home else {"PROJRUN_CACHE_DIR": str(cache)}
    return {**os.environ, **more}
