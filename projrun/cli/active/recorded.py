"""The log of a run from its artifacts, wherever they are."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from projrun.cli.active.finding import kept_log
from projrun.cli.rendering import on_terminal, one_line, print_text
from projrun.errors import NotFoundError
from projrun.running.record.outbox import Waiting, waiting_log
from projrun.running.record.recorder import LOG
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

_PAUSE = 5.0
"""Seconds between two looks at the log of a run on another machine."""

_HARMLESS = re.compile(
    r"\x1b\[[0-9;]*[mK]|\r(?=\n)|[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+|[\t\n\r]"
)
"""What a terminal may get of a text that anyone may have written: colors, erased lines, what is printable."""


def print_recorded(store: RunStore, run: Run, *, follow: bool = False) -> None:
    """Print the log; with `follow`, also what comes until the run has ended, where it is delivered meanwhile."""
    printed = -1
    while True:
        running = run.status == "RUNNING"
        printed = max(printed, _print_from(store, run, max(printed, 0)))
        if not (follow and running):
            break
        time.sleep(_PAUSE)
        run = store.get_run(run.run_id)
    if printed < 0:
        where = "; its output is on the machine where it runs" if run.status == "RUNNING" else ""
        print_text(one_line(f"projrun: run {run.run_name} ({run.run_id}) has no log{where}"), err=True)


def print_waiting(run: Waiting) -> bool:
    """Print the log of a run that is not delivered yet; False where this machine does not have it."""
    file = waiting_log(run)
    if file is None:
        return False
    with file.open("rb") as log:
        _copy(log)
    return True


def _print_from(store: RunStore, run: Run, offset: int) -> int:
    """Print the log from a byte on; its size, -1 where there is none."""
    with tempfile.TemporaryDirectory(prefix="projrun-logs-") as folder:
        file = _log_file(store, run, Path(folder))
        if file is None:
            return -1
        with file.open("rb") as log:
            log.seek(offset)
            _copy(log)
            return log.tell()


def _log_file(store: RunStore, run: Run, folder: Path) -> Path | None:
    repository = store.artifacts(run.artifact_uri)
    if repository.folder is not None and (repository.folder / LOG).is_file():
        return repository.folder / LOG
    try:
        return repository.download(LOG, folder)
    except NotFoundError:
        kept = kept_log(run.run_id)
        return kept if kept.is_file() else None


def _copy(log: IO[bytes]) -> None:
    if sys.stdout is None:
        return
    if not on_terminal():
        sys.stdout.flush()
        shutil.copyfileobj(log, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    for line in log:
        sys.stdout.write(_harmless(line.decode("utf-8", "backslashreplace")))
    sys.stdout.flush()


def _harmless(text: str) -> str:
    """The text with escapes for what would move the cursor, set a title or hide words."""
    parts = []
    position = 0
    for match in _HARMLESS.finditer(text):
        parts += [ascii(one)[1:-1] for one in text[position : match.start()]]
        parts.append(match[0])
        position = match.end()
    return "".join([*parts, *(ascii(one)[1:-1] for one in text[position:])])
