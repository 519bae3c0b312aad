"""One thread writes, several calls in one transaction: each is kept or undone by itself, all where the disk fails."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Coroutine, MutableMapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from projrun.errors import AlreadyExistsError, TrackingError, UnavailableError
from projrun.server.api import PROXIED
from projrun.server.app import create_api
from projrun.server.stores import THREADS, Stores
from projrun.tracking.entities import Tag
from projrun.tracking.parts import find_part
from projrun.tracking.runs import LocalStore, RunStore
from projrun.tracking.sql.store import SqlStore

LOG = 6_000_000
"""Bytes: SQLite moves what it has written when there are 1,000 pages of it."""


def served(database: Path, body: Callable[[Stores], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine with the stores of a database."""

    async def run() -> None:
        with Stores(lambda: SqlStore.open(database)) as stores:
            await body(stores)

    asyncio.run(run())


def names(database: Path) -> set[str]:
    """The experiments that are kept."""
    with closing(SqlStore.open(database)) as store:
        return {each.name for each in store.search_experiments().experiments} - {"Default"}


def creating(name: str) -> Callable[[RunStore], str]:
    """A call that writes."""
    return lambda store: store.create_experiment(name)


async def together(
    stores: Stores, first: Callable[[RunStore], object], *others: Callable[[RunStore], object]
) -> list[object]:
    """The answers, or errors, of calls of which the others wait when the first is made."""
    held, waiting = threading.Event(), threading.Event()

    def holding(store: RunStore) -> object:
        held.set()
        assert waiting.wait(60)
        return first(store)

    tasks = [asyncio.create_task(stores.write(holding))]
    while not held.is_set():
        await asyncio.sleep(0.001)
    tasks += [asyncio.create_task(stores.write(other)) for other in others]
    await asyncio.sleep(0)
    waiting.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction takes all that waits, however slow the machine is."""
    monkeypatch.setattr("projrun.server.writing.LONGEST", 60)


@pytest.mark.usefixtures("patient")
def test_what_waits_is_written_in_one_transaction(database: Path) -> None:
    seen: list[set[str]] = []

    def last(store: RunStore) -> str:
        seen.append(names(database))
        return store.create_experiment("e4")

    async def body(stores: Stores) -> None:
        calls = [*map(creating, ["first", "e0", "e1", "e2", "e3"]), last]
        assert len(set(await together(stores, *calls))) == 6
        assert seen == [set()]

    served(database, body)
    assert names(database) == {"first", "e0", "e1", "e2", "e3", "e4"}


def test_a_call_that_fails_undoes_itself_alone(database: Path) -> None:
    def half(store: RunStore) -> str:
        made = store.create_experiment("kept all the same")
        store.set_experiment_tag(made, Tag("a", "b"))
        return store.create_experiment("twice")

    async def body(stores: Stores) -> None:
        calls = [creating("twice"), half, creating("after")]
        answers = await asyncio.gather(*map(stores.write, calls), return_exceptions=True)
        assert [type(answer) for answer in answers] == [str, AlreadyExistsError, str]

    served(database, body)
    assert names(database) == {"twice", "kept all the same", "after"}


@pytest.mark.usefixtures("patient")
def test_a_transaction_that_is_lost_fails_for_all_that_were_in_it(database: Path) -> None:
    def losing(store: RunStore) -> None:
        engine = find_part(store, LocalStore)
        engine._connection.execute("ROLLBACK")  # type: ignore[union-attr]  # as SQLite does where a disk is full

    async def body(stores: Stores) -> None:
        answers = await together(stores, creating("before"), losing, creating("after"))
        assert {type(answer) for answer in answers} == {TrackingError}
        assert await stores.write(creating("next"))

    served(database, body)
    assert names(database) == {"next"}


def test_who_waits_for_a_lock_fails_with_it(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projrun.server.stores.LOCK_WAIT", 0.2)

    async def body(stores: Stores) -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert (await stores.read(lambda store: store.get_experiment("0"), quick=True)).name == "Default"
            calls = [stores.write(creating(f"e{number}")) for number in range(3)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert ["locked" in str(answer) for answer in answers] == [True] * 3
            other.execute("ROLLBACK")
        assert await stores.write(creating("again"))

    served(database, body)
    assert names(database) == {"again"}


def test_a_quick_read_that_meets_a_lock_waits_in_a_thread(database: Path) -> None:
    loops = threading.get_ident()

    def locked_here(store: RunStore) -> str:
        if threading.get_ident() == loops:
            raise TrackingError("locked")
        return store.get_experiment("0").name

    async def body(stores: Stores) -> None:
        assert await stores.read(locked_here, quick=True) == "Default"

    served(database, body)


def where_called(name: str) -> Callable[[RunStore], int]:
    """A call that writes, whose answer is the thread that made it."""

    def call(store: RunStore) -> int:
        store.create_experiment(name)
        return threading.get_ident()

    return call


def test_a_quick_write_changes_no_thread_where_none_waits(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projrun.server.stores.INLINE", 2)
    mine = threading.get_ident()

    async def body(stores: Stores) -> None:
        found = [await stores.write(where_called(f"a{number}"), quick=True) == mine for number in range(7)]
        assert found == [False, True, True, False, True, True, False]
        assert await stores.write(where_called("long")) != mine
        long = asyncio.create_task(stores.write(where_called("another long")))
        await asyncio.sleep(0)
        assert await stores.write(where_called("behind it"), quick=True) != mine
        await long

    served(database, body)
    assert names(database) == {*(f"a{number}" for number in range(7)), "long", "another long", "behind it"}


class Noting(SqlStore):
    """A store that notes the threads in which values are logged to it."""

    threads: ClassVar[list[int]] = []

    def log_batch(self, run_id: str, **values: Any) -> None:
        self.threads.append(threading.get_ident())
        super().log_batch(run_id, **values)


@pytest.mark.parametrize(("count", "inline"), [(1, True), (100, True), (101, False)])
def test_a_small_batch_changes_no_thread(database: Path, count: int, inline: bool) -> None:
    with closing(SqlStore.open(database)) as store:
        run_id = store.create_run("0", start_time=1).run_id
    points = [{"key": f"m{number}", "value": 0.5, "timestamp": 1} for number in range(count)]
    body = json.dumps({"run_id": run_id, "metrics": points}).encode()
    scope = {
        "path": "/api/2.0/mlflow/runs/log-batch",
        "method": "POST",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    answered: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.append(message.get("status"))

    async def run() -> None:
        with Stores(lambda: Noting.open(database)) as stores:
            await stores.write(creating("first"))
            del Noting.threads[:]
            await create_api(stores)({**scope, PROXIED: True}, receive, send)

    asyncio.run(run())
    assert answered[0] == 200
    assert [thread == threading.get_ident() for thread in Noting.threads] == [inline]


def test_a_quick_write_that_meets_a_lock_waits_in_the_thread(database: Path) -> None:
    async def body(stores: Stores) -> None:
        await stores.write(creating("first"), quick=True)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(stores.write(where_called("second"), quick=True))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            other.execute("ROLLBACK")
            assert await waiting != threading.get_ident()

    served(database, body)
    assert names(database) == {"first", "second"}


def test_quick_writes_leave_a_log_of_bounded_size(database: Path) -> None:
    written: list[RunStore] = []

    def write(store: RunStore) -> None:
        store.set_experiment_tag("0", Tag("a", str(len(written))))
        written.append(store)

    async def body(stores: Stores) -> None:
        for _ in range(2000):
            await stores.write(write, quick=True)
        assert database.with_name(f"{database.name}-wal").stat().st_size < LOG

    served(database, body)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_removed_is_neither_written_nor_made_again(database: Path, replaced: bool) -> None:
    async def body(stores: Stores) -> None:
        experiment = await stores.write(creating("first"))
        kept, other = database.with_name("kept.db"), database.with_name("other.db")
        SqlStore.open(other).close()
        database.rename(kept)
        if replaced:
            other.rename(database)
        # Threads that have not opened the store yet would open the other file, or make a new one.
        calls = [stores.write(creating("lost"))]
        calls += [stores.read(lambda store: store.get_experiment(experiment).name) for _ in range(THREADS)]
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(answer, UnavailableError)
            assert f"was {'replaced' if replaced else 'removed'} while it was in use" in answer.message
        assert database.exists() == replaced
        kept.rename(database)
        await stores.write(creating("again"))

    served(database, body)
    assert names(database) == {"first", "again"}


def test_an_answer_whose_client_has_gone_is_nobodys(database: Path) -> None:
    async def body(stores: Stores) -> None:
        writing = asyncio.create_task(stores.write(creating("left")))
        await asyncio.sleep(0)
        writing.cancel()
        await stores.write(creating("stayed"))

    served(database, body)
    assert "stayed" in names(database)
