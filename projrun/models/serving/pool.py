"""The workers of a model: requests go to a free one, or wait; one that dies or freezes is replaced."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from starlette.types import Receive

from projrun.models.serving.answers import Answer, refusal, unavailable
from projrun.models.serving.batches import Batches
from projrun.models.serving.description import Description, describe
from projrun.models.serving.process import NOTHING, ModelError, WorkerProcess, shown
from projrun.models.serving.question import Question
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import Reporter

_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
"""Seconds before the model is loaded again, after a worker could not load it."""


class Pool:
    """The workers of one model, in one event loop."""

    def __init__(self, model: ServedModel, options: ServingOptions, reporter: Reporter) -> None:
        self.model = model
        self._options = options
        self._reporter = reporter
        self._serving: set[WorkerProcess] = set()
        """Those that have the model loaded, but for those that are to leave."""
        self._processes: set[WorkerProcess] = set()
        """All that have not ended."""
        self._idle: deque[WorkerProcess] = deque()
        self._waiting: deque[Question] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._batches = self._new_batches()
        self._loading = asyncio.Lock()
        self._generation = 0
        self._is_closing = False
        self.version = ""
        """Of the MLflow in the model's environment."""
        self.replaced = 0
        """Workers that died or were killed."""
        self.description = Description(model.name, model.version)
        """Of the model that is loaded."""

    @property
    def waiting(self) -> int:
        """Requests for which no worker is free."""
        return len(self._waiting)

    @property
    def pids(self) -> list[int]:
        """The processes that have the model loaded."""
        return sorted(worker.pid for worker in self._serving)

    @property
    def is_healthy(self) -> bool:
        """Whether a worker is there."""
        return bool(self._serving)

    async def start(self, model: ServedModel | None = None) -> None:
        """Load the model, or another version, in each worker. Raises ModelError where one cannot."""
        async with self._loading:
            model = model or self.model
            description = describe(model)
            workers = await self._load_all(model)
            self.model, self.description = model, description
            former, self._serving = self._serving, set(workers)
            self._generation += 1
            self._batches = self._new_batches()  # another version may look at rows together
            self.version = workers[0].version
            for worker in workers:
                self._release(worker)
            idle, self._idle = self._idle, deque(each for each in self._idle if each in self._serving)
            for worker in idle:
                if worker in former:
                    self._spawn(self._end(worker))

    async def reload(self, model: ServedModel | None = None) -> None:
        """Load the model again, or another version, in new workers, which take over from the old ones.

        No request is lost. Where it cannot be loaded, the old ones stay.
        """
        try:
            await self.start(model)
        except Exception as error:  # whatever it is: requests go on
            self._warn(error, "; the workers stay as they were")
        else:
            self._reporter.info(
                f"{'reloaded' if model is None else 'serves another version of'} the model {self.model.name!r}"
            )

    async def answer(
        self,
        content_type: str,
        body: bytes,
        receive: Receive | None = None,
        extra: Mapping[str, object] = NOTHING,
    ) -> Answer | None:
        """The answer of a worker, or why there is none; None where the client left while its request waited.

        `receive` is the client's, `extra` goes to the worker beside the content type.
        """
        question = Question(content_type, body, extra)
        if self._idle:
            self._spawn(self._work(self._idle.popleft(), [question]))
            return await question.answer(self._options.timeout, None)
        if len(self._waiting) >= self._options.max_waiting:
            return unavailable(f"{len(self._waiting)} requests wait for the model already.")
        self._waiting.append(question)
        try:
            return await question.answer(self._options.timeout, receive)
        finally:
            with suppress(ValueError):  # it was taken
                self._waiting.remove(question)

    async def _work(self, worker: WorkerProcess, group: Sequence[Question]) -> None:
        try:
            again = await self._batches.ask(worker, group)
            self._waiting.extendleft(reversed(again))
        except Exception as error:
            for question in group:
                question.settle(refusal(500, "INTERNAL_ERROR", shown(error)))
            raise
        finally:
            self._release(worker)

    def _release(self, worker: WorkerProcess) -> None:
        """The worker has nothing to do: it takes the next request, or leaves where others have taken over."""
        if self._is_closing:
            return
        if worker not in self._serving:
            if worker in self._processes:
                self._spawn(self._end(worker))
            while self._waiting and self._idle:  # what it is to be asked for again
                self._release(self._idle.popleft())
        elif group := self._batches.next(self._waiting):
            self._spawn(self._work(worker, group))
        else:
            self._idle.append(worker)

    async def _load_all(self, model: ServedModel) -> list[WorkerProcess]:
        workers = [self._new_worker(model) for _ in range(self._options.workers)]
        results = await asyncio.gather(*(worker.load() for worker in workers), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            for worker in workers:
                await self._end(worker)
            raise failures[0]
        return workers

    def _new_batches(self) -> Batches:
        return Batches(self._options.max_batch, self._options.timeout, self._reporter.warning)

    def _new_worker(self, model: ServedModel) -> WorkerProcess:
        worker = WorkerProcess(model, self._lost)
        self._processes.add(worker)
        return worker

    def _lost(self, worker: WorkerProcess) -> None:
        """A worker has died, or was killed, or leaves."""
        if worker not in self._serving or self._is_closing:
            return
        self.replaced += 1
        self._serving.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._spawn(self._replace(worker, self._generation))

    async def _replace(self, worker: WorkerProcess, generation: int) -> None:
        code = await self._end(worker, 0.1)
        self._reporter.warning(
            f"a worker of the model {self.model.name!r} ended with {code}; starting another"
        )
        pause = _PAUSE
        while generation == self._generation:
            following = self._new_worker(self.model)
            try:
                await following.load()
            except Exception as error:  # descriptors or memory may be short for a while
                await self._end(following)
                self._warn(error, f"; trying again in {pause:g} s")
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if generation == self._generation:
                self._serving.add(following)
            self._release(following)
            return

    async def _end(self, worker: WorkerProcess, patience: float = 3.0) -> int:
        code = await worker.end(patience)
        self._processes.discard(worker)
        return code

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._warn(error)

    def _warn(self, error: BaseException, rest: str = "") -> None:
        told = "" if isinstance(error, ModelError) else f"model {self.model.name!r}: "
        self._reporter.warning(f"{told}{shown(error)}{rest}")

    async def close(self) -> None:
        """End all workers: none is left afterwards."""
        self._is_closing = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._end(worker) for worker in list(self._processes)))
