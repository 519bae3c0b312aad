"""Threads for files alone: a slow disk or object store holds none of those that answer other requests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

MOST = 16
"""At a time; none of them ever waits for a client."""

_Result = TypeVar("_Result")
_LIMITER: RunVar[anyio.CapacityLimiter] = RunVar("projrun-files")


async def in_thread(call: Callable[..., _Result], *arguments: object) -> _Result:
    """The result of a call that may take a moment."""
    try:
        limiter = _LIMITER.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(MOST)
        _LIMITER.set(limiter)
    return await anyio.to_thread.run_sync(partial(call, *arguments), limiter=limiter)
