"""New stores for tests, copied from one: to migrate each takes 15 ms, and the migrations have tests of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from projrun.tracking.sql.store import SqlStore


def new_store(file: Path) -> Path:
    """Make `file` as `SqlStore.open` makes it, with its folder; returns it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(_content())
    return file


@cache
def _content() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "projrun.db"
        SqlStore.open(file).close()
        return file.read_bytes()


def statements(store: SqlStore, call: Callable[[], object]) -> list[str]:
    """What a call asks SQLite, with the values in their places."""
    seen: list[str] = []
    raw = store._engine._connection  # type: ignore[attr-defined]
    raw.set_trace_callback(seen.append)
    try:
        call()
    finally:
        raw.set_trace_callback(None)
    return seen
