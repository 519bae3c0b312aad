"""Workers that die or cannot be started, in the event loop of the test."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from projrun.models.serving.pool import Pool
from projrun.models.serving.process import ModelError, WorkerProcess
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import SilentReporter

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]


class Listening(SilentReporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append(text)

    def has(self, text: str) -> bool:
        return any(text in line for line in self.lines)


@pytest.fixture
def model(mlflow3_python: Path, scoring_models: Path) -> ServedModel:
    return ServedModel("m", scoring_models / "obedient", (str(mlflow3_python),), dict(os.environ))


async def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def in_pool(model: ServedModel, work: Callable[[Pool, Listening], Awaitable[None]]) -> None:
    """Do something with one worker of a model."""

    async def main() -> None:
        reporter = Listening()
        pool = Pool(model, ServingOptions(), reporter)
        try:
            await pool.start()
            await work(pool, reporter)
        finally:
            await pool.close()

    asyncio.run(main())


async def status(pool: Pool, command: str = "pid") -> int:
    body = {"dataframe_split": {"columns": ["command"], "data": [[command]]}}
    answer = await pool.answer("application/json", json.dumps(body).encode())
    assert answer
    return answer.status


@contextmanager
def one_descriptor() -> Iterator[None]:
    """No more than that is left to this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        while True:
            try:
                held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        os.close(held.pop())
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_worker_without_descriptors_is_refused(model: ServedModel) -> None:
    async def main() -> None:
        with one_descriptor(), pytest.raises(ModelError, match="cannot be started: Too many open files"):
            await WorkerProcess(model, lambda lost: None).load()

    asyncio.run(main())


def test_a_worker_that_cannot_be_started_for_a_while_is_replaced_later(model: ServedModel) -> None:
    async def work(pool: Pool, reporter: Listening) -> None:
        pool.model = model._replace(environ={"PROJRUN_TEST": "\0"})  # an error that is not projrun's own
        os.kill(pool.pids[0], signal.SIGKILL)
        await until(lambda: reporter.has("model 'm': ValueError: embedded null byte; trying again in 0.5 s"))
        pool.model = model
        await until(lambda: pool.is_healthy)
        assert await status(pool) == 200

    in_pool(model, work)


def test_a_request_that_fails_here_keeps_no_worker(model: ServedModel) -> None:
    async def work(pool: Pool, reporter: Listening) -> None:
        answer = await pool.answer("application/json", b"{}", None, {"infer": object()})  # cannot be sent
        assert answer and answer.status == 500
        await until(lambda: reporter.has("model 'm': TypeError: Encoding objects"))
        assert await status(pool) == 200

    in_pool(model, work)


def test_a_reload_that_fails_in_any_way_is_said(model: ServedModel) -> None:
    async def work(pool: Pool, reporter: Listening) -> None:
        await pool.reload(model._replace(environ={"PROJRUN_TEST": "\0"}))
        assert reporter.has("embedded null byte; the workers stay as they were")
        assert await status(pool) == 200

    in_pool(model, work)


def test_a_worker_that_dies_is_replaced_while_what_it_forked_lives(model: ServedModel) -> None:
    async def work(pool: Pool, reporter: Listening) -> None:
        assert await status(pool, "fork") == 200
        before = pool.pids
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: pool.is_healthy and pool.pids != before)
        assert await status(pool) == 200

    in_pool(model, work)
