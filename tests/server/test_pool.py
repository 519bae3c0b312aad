"""The threads that wait for a store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from projrun.server.pool import Pool


def refuse() -> None:
    raise SystemExit("no")


def test_calls_are_made_in_threads_with_their_answers_and_errors() -> None:
    async def body() -> None:
        pool = Pool(2, "pool")
        with pytest.raises(SystemExit):
            await pool.run(refuse)
        assert await asyncio.gather(*(pool.run(divmod, number, 2) for number in range(9))) == [
            divmod(number, 2) for number in range(9)
        ]
        assert await pool.run(threading.get_ident) != threading.get_ident()
        pool.close()

    asyncio.run(body())


def test_threads_are_started_where_none_is_free_and_no_more_than_wanted() -> None:
    async def body() -> None:
        pool = Pool(2, "pool")
        for _ in range(5):
            await pool.run(threading.get_ident)
        assert started() == {"pool_0"}
        both = threading.Barrier(2)
        await asyncio.gather(*(pool.run(both.wait, 20) for _ in range(6)))
        assert started() == {"pool_0", "pool_1"}
        pool.close()
        assert started() == set()

    asyncio.run(body())


def started() -> set[str]:
    """The names of the pool's threads."""
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("pool_")}


def test_what_is_under_way_at_the_end_is_finished_and_what_waits_is_not_made() -> None:
    made: list[str] = []
    begun, wanted = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        assert wanted.wait(60)
        made.append("first")

    def making(name: str) -> Callable[[], None]:
        return lambda: made.append(name)

    async def body() -> None:
        pool = Pool(1, "pool")
        calls = [asyncio.create_task(pool.run(call)) for call in (first, making("second"))]
        while not begun.is_set():
            await asyncio.sleep(0.001)
        threading.Timer(0.05, wanted.set).start()
        pool.close()
        await asyncio.wait_for(calls[0], 20)
        with pytest.raises(asyncio.CancelledError):
            await calls[1]

    asyncio.run(body())
    assert made == ["first"]
