"""A request for predictions, from its arrival to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import Receive

from projrun.models.serving.answers import Answer, overdue
from projrun.models.serving.tables import Table, read_table


class Trial:
    """Requests that are asked for alone after they were asked for together."""

    def __init__(self, judge: object, form: str, left: int, *, has_failed: bool) -> None:
        self.judge = judge
        """Who began it, and it alone learns from it: another one's answers may be of another version of the model."""
        self.form = form
        self.left = left
        """Those that have no answer yet."""
        self.has_failed = has_failed
        """Whether the model gave no predictions for all of them together."""
        self.is_fine = True
        """Whether each that has an answer got predictions."""


class Question:
    """What is asked, and the client that waits for an answer."""

    def __init__(self, content_type: str, body: bytes, extra: Mapping[str, object]) -> None:
        self.content_type = content_type
        self.body = body
        self.extra = extra
        self.trial: Trial | None = None
        self.together: bytes | None = None
        """What it would have got in the batch of the trial."""
        self._answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._table: Table | None = None
        self._is_read = bool(extra)

    @property
    def table(self) -> Table | None:
        """Its rows; None where it has to be asked for alone."""
        if not self._is_read:
            self._is_read = True
            self._table = read_table(self.content_type, self.body)
        return self._table

    def try_alone(self, trial: Trial, together: bytes | None) -> None:
        """It is in no other batch."""
        self.trial, self.together = trial, together
        self._table = None

    @property
    def is_over(self) -> bool:
        """Whether it was answered, or its client has left."""
        return self._answer.done()

    def settle(self, answer: Answer | None) -> None:
        """Answer it, if that has not happened yet; None where its client has left."""
        if not self._answer.done():
            self._answer.set_result(answer)

    async def answer(self, timeout: float, receive: Receive | None) -> Answer | None:
        """Its answer, within so many seconds; from `receive` comes that the client leaves."""
        timer = asyncio.get_running_loop().call_later(timeout, self._give_up)
        watch = asyncio.create_task(self._watch(receive)) if receive else None
        try:
            return await self._answer
        finally:
            timer.cancel()
            if watch:
                watch.cancel()

    def _give_up(self) -> None:
        self.settle(overdue())

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] == "http.request":
            pass
        self.settle(None)
