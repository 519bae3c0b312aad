"""Predictions for a whole input: the pieces of a table, one after the other, through one worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from projrun.errors import RequestError
from projrun.models.serving.answers import Answer, error_line
from projrun.models.serving.process import ModelError, WorkerProcess
from projrun.models.serving.served import ServedModel

CSV, JSON = "text/csv", "application/json"
_PIECE = 4 << 20
"""Bytes of a table that are asked for at once: what MLflow's parsing makes of them is some ten times as large."""
_LONG = 10 * 365 * 86400.0
_HEAD, _TAIL = b'{"predictions": [', b"]}"


def predict(
    model: ServedModel, pieces: Iterable[bytes], content_type: str, write: Callable[[bytes], object]
) -> None:
    """Write the predictions for all pieces, as one answer of MLflow's scoring server.

    Raises ModelError where the model cannot be loaded or fails, RequestError for an input that it does not take.
    """
    asyncio.run(_predict(model, pieces, content_type, write))


async def _predict(
    model: ServedModel, pieces: Iterable[bytes], content_type: str, write: Callable[[bytes], object]
) -> None:
    worker = WorkerProcess(model, lambda lost: None)
    try:
        await worker.load()
        before, following = b"", iter(pieces)
        piece = next(following)
        while True:
            answer = await worker.answer(content_type, piece, _LONG)
            _check(answer)
            after = next(following, None)
            if not before and after is None:
                write(answer.body)  # as the model says it, whatever it is
                break
            write((before or _HEAD) + _listed(answer.body))
            if after is None:
                write(_TAIL)
                break
            before, piece = b", ", after
    finally:
        await worker.end()
    write(b"\n")


def _check(answer: Answer) -> None:
    if answer.status == 200:
        return
    text = error_line(answer)
    if answer.status >= 500:
        raise ModelError(f"the model failed: {text}", hint="its own output is above")
    raise RequestError(f"the model does not take the input: {text}")


def _listed(body: bytes) -> bytes:
    if not (body.startswith(_HEAD) and body.endswith(_TAIL)):
        raise RequestError("the model gives no list of predictions: its input cannot be taken in pieces")
    return body[len(_HEAD) : -len(_TAIL)]


def rows(table: BinaryIO, size: int = _PIECE) -> Iterator[bytes]:
    """A CSV table as tables of about `size` bytes, each with the head; none is cut inside quotes (RFC 4180)."""
    records = _records(table)
    head = next(records, b"")
    if head and not head.endswith(b"\n"):
        head += b"\n"
    piece, length, count = [head], 0, 0
    for record in records:
        piece.append(record)
        length += len(record)
        if length >= size:
            yield b"".join(piece)
            piece, length = [head], 0
            count += 1
    if len(piece) > 1 or not count:
        yield b"".join(piece)


def _records(table: BinaryIO) -> Iterator[bytes]:
    lines: list[bytes] = []
    quotes = 0
    for line in table:
        lines.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            yield b"".join(lines)
            lines.clear()
    if lines:
        yield b"".join(lines)
