"""The tracking store that a command is about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from projrun.cli.mistakes import asked_wrongly
from projrun.cli.rendering import own_places, print_warning
from projrun.running.record.lookup import opened_store
from projrun.settings import Settings
from projrun.tracking.runs import RunStore


@contextmanager
def store_of(options: dict[str, str | None]) -> Iterator[tuple[RunStore, Settings]]:
    """The tracking store that options by long name choose, and what else they set. As `asked_wrongly`."""
    directories = own_places()
    settings = Settings(options, os.environ, directories.config)
    with (
        opened_store(settings, directories, os.environ, Path.cwd(), print_warning) as store,
        asked_wrongly(),
    ):
        yield store, settings
