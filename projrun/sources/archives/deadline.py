"""A deadline for what a server could draw out for ever, byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError  # the builtin one since Python 3.11
from threading import Thread
from typing import TypeVar

from projrun.errors import SourceError

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result], shown: str) -> Result:
    """What `work` returns or raises; SourceError if it takes longer; then its result is ignored."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, name="download", daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except FutureTimeoutError:
        if future.done():
            raise
        raise SourceError(
            f"{shown} cannot be downloaded: it was not complete after {seconds:g} s",
            hint="try again, or download it yourself and give the file",
        ) from None
