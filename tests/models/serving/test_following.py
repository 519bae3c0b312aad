"""Following an address through whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from projrun.models.serving.following import follow
from projrun.models.serving.pool import Pool
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import SilentReporter


def test_a_folder_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    asked = itertools.count()
    enough = asyncio.Event()

    def moved() -> None:
        if next(asked) > 2:
            loop.call_soon_threadsafe(enough.set)
            return
        (tmp_path / "gone").stat()

    async def main() -> None:
        reporter = SilentReporter()
        pool = Pool(ServedModel("m", tmp_path, (), {}), ServingOptions(), reporter)
        following = asyncio.create_task(follow(pool, moved, 0.01, reporter))
        await asyncio.wait_for(enough.wait(), 20)
        following.cancel()

    loop = asyncio.new_event_loop()
    with pytest.warns(UserWarning, match="'m' stays as it was: FileNotFoundError:.*gone") as warned:
        loop.run_until_complete(main())
    loop.close()
    assert len(warned) == 1
