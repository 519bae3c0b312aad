"""The store that the line or the settings name, for who presses Tab and waits for no server that is away."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import click

from projrun.directories import Directories
from projrun.errors import ProjrunError
from projrun.running.plan import tracking_target
from projrun.settings import Settings
from projrun.tracking.open import open_store
from projrun.tracking.runs import Deadline, RunStore

_PATIENCE = 2.0
"""Seconds."""

Value = TypeVar("Value")


def asked(ctx: click.Context, question: Callable[[RunStore], list[Value]]) -> list[Value]:
    """The answer; nothing where there is no store, or it does not answer soon."""
    directories = Directories.locate(os.environ)
    try:
        settings = Settings({"tracking-uri": ctx.params.get("tracking_uri")}, os.environ, directories.config)
        target = tracking_target(settings, directories, Path.cwd())
        if target.uri.database is not None and not target.uri.database.exists():
            return []  # opening would make one
        deadline = Deadline()
        deadline.begin(_PATIENCE)
        store = open_store(target.uri, os.environ, warn=lambda text: None, deadline=deadline)
        with closing(store):
            return question(store)
    except (ProjrunError, OSError):
        return []
