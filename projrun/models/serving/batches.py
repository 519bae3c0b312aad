"""Micro-batching: rows of requests that wait at the same time are asked for together, and each gets its part.

A model may look at rows together, so that is tried first: what a batch gives is compared with what each request gets
alone, and that is what its client gets. Where a batch fails, each of its requests is asked for alone, too.
"""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import islice, zip_longest

from projrun.models.serving.answers import JSON, Answer
from projrun.models.serving.process import WorkerProcess
from projrun.models.serving.question import Question, Trial
from projrun.models.serving.tables import Table, divided, together

_PROOFS = 8
"""Answers that were the same together and alone, before a form of tables is relied on."""
_STRIKES = 2
"""Batches that fail although none of their requests does, before a form is always asked for alone."""
_LOOK = 4
"""How many requests that wait are looked at, for each row that a batch may have."""
_CLOSE = 1e-5
"""Relative: sums over a table of another length are rounded differently, at the seventh digit in single precision."""


class Batches:
    """Which requests a worker answers at once."""

    def __init__(self, most: int, timeout: float, warn: Callable[[str], None]) -> None:
        """`most` is in rows, `timeout` in seconds."""
        self._most = most
        self._timeout = timeout
        self._warn = warn
        self._proofs: Counter[str] = Counter()
        self._strikes: Counter[str] = Counter()

    def next(self, waiting: deque[Question]) -> list[Question]:
        """Take the next request that waits, and those that can be answered with it; none where none waits."""
        while waiting:
            first = waiting.popleft()
            if first.is_over:
                continue
            if waiting and self._most > 1 and (table := self._usable(first)):
                return [first, *self._companions(first, table, waiting)]
            return [first]
        return []

    def _usable(self, question: Question) -> Table | None:
        table = question.table
        return None if table is None or self._strikes[table.form] >= _STRIKES else table

    def _companions(self, first: Question, table: Table, waiting: deque[Question]) -> list[Question]:
        rows, found, bodies = len(table.rows), [], {first.body}
        is_proven = self._proofs[table.form] >= _PROOFS
        for question in list(islice(waiting, self._most * _LOOK)):
            other = question.table
            if question.is_over or other is None or other.kind != table.kind:
                continue
            if not is_proven and question.body in bodies:
                continue  # equal rows prove nothing
            if rows + len(other.rows) <= self._most:
                rows += len(other.rows)
                bodies.add(question.body)
                found.append(question)
                waiting.remove(question)
        return found

    async def ask(self, worker: WorkerProcess, group: Sequence[Question]) -> Sequence[Question]:
        """Let a worker answer; gives those that are to be asked for again, alone."""
        if len(group) > 1:
            return await self._ask_together(worker, group)
        (question,) = group
        answer = await worker.answer(question.content_type, question.body, self._timeout, question.extra)
        question.settle(answer)
        if question.trial and question.trial.judge is self:
            self._judge(question.trial, question.together, answer)
        return ()

    async def _ask_together(self, worker: WorkerProcess, group: Sequence[Question]) -> Sequence[Question]:
        tables = [question.table for question in group if question.table]
        answer = await worker.answer(JSON, together(tables), self._timeout)
        parts = divided(answer.body, tables) if answer.status == 200 else None
        form = tables[0].form
        if parts and self._proofs[form] >= _PROOFS:
            for question, part in zip(group, parts, strict=True):
                question.settle(answer._replace(body=part))
            return ()
        # Where the worker died, that says nothing about the model.
        trial = Trial(self, form, len(group), has_failed=parts is None and worker.is_alive)
        for question, part in zip_longest(group, parts or ()):
            question.try_alone(trial, part)
        return group

    def _judge(self, trial: Trial, part: bytes | None, answer: Answer) -> None:
        """Learn from what a request got alone, after it was asked for in a batch."""
        trial.left -= 1
        trial.is_fine = trial.is_fine and answer.status == 200
        if part is not None and answer.status < 500:
            if answer.status == 200 and is_same(part, answer.body):
                self._proofs[trial.form] += 1
            else:
                self._exclude(trial.form, "its predictions for a row depend on the rows beside it")
        elif trial.has_failed and trial.is_fine and not trial.left:
            self._strikes[trial.form] += 1
            if self._strikes[trial.form] == _STRIKES:
                self._exclude(trial.form, "it does not give one prediction for each row")

    def _exclude(self, form: str, reason: str) -> None:
        if self._strikes[form] <= _STRIKES:
            self._warn(f"requests with {form!r} are answered one by one, without --max-batch: {reason}")
        self._strikes[form] = _STRIKES + 1


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two answers say the same, but for the rounding of numbers."""
    try:
        return one == other or _is_alike(json.loads(one), json.loads(other))
    except (ValueError, RecursionError):  # no JSON, or lists in lists without end
        return False


def _is_alike(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=1e-9) or (one != one and other != other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_alike(one[key], other[key]) for key in one)
    return one == other
