"""Following an address: another version is loaded where the registry leads to one, and takes over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from projrun.models.serving.pool import Pool
from projrun.models.serving.process import shown
from projrun.models.serving.served import ServedModel
from projrun.reporting import Reporter

Moved = Callable[[], ServedModel | None]
"""Gives the model that an address leads to, where it is another one than before; may take as long as a build."""
_LONGEST_PAUSE = 300.0
"""Seconds: a registry that is down, or an environment that cannot be built, is not asked for all the time."""


async def follow(pool: Pool, moved: Moved, interval: float, reporter: Reporter) -> None:
    """Ask every `interval` seconds, until cancelled; what was served stays where another version cannot be."""
    pause, said = interval, ""
    while True:
        await asyncio.sleep(pause)
        try:
            model = await _in_thread(moved)
        except Exception as error:  # the folder that it started in may be gone, descriptors may be short
            pause = min(2 * pause, max(_LONGEST_PAUSE, interval))
            if (reason := shown(error)) != said:
                said = reason
                reporter.warning(f"model {pool.model.name!r} stays as it was: {said}")
            continue
        pause, said = interval, ""
        if model is not None:
            await pool.reload(model)


async def _in_thread(call: Moved) -> ServedModel | None:
    """What a call gives, made in a thread that does not hold up the end of the server."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[ServedModel | None] = loop.create_future()

    def settle(model: ServedModel | None, error: Exception | None) -> None:
        if result.cancelled():
            return
        if error is None:
            result.set_result(model)
        else:
            result.set_exception(error)

    def run() -> None:
        model, failure = None, None
        try:
            model = call()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, model, failure)

    threading.Thread(target=run, daemon=True).start()
    return await result
