"""The mark of an active run: a folder with a locked file, which a runner that died cannot keep locked.

`active/<run id>/run.json` is locked for as long as the runner lives, so whoever can lock it knows that
the run is lost; the run's output is kept beside it until it is an artifact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, NamedTuple


class Mark(NamedTuple):
    """What is known of an active run without asking the tracking store."""

    run_id: str
    store: str
    """The tracking store's URI without credentials."""
    artifact_uri: str
    status: Literal["", "FINISHED", "FAILED", "KILLED"] = ""
    """The end that could not be recorded; empty while the run is active."""
    reason: str = ""
    exit_code: int | None = None
    end_time: int | None = None


class Lease:
    """An active run's folder, held by this process until `release`."""

    def __init__(self, folder: Path, mark: Mark) -> None:
        self.folder = folder
        self.mark = mark
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = _open(folder / "run.json")
        if not _lock(self._file):
            self._file.close()
            raise BlockingIOError(f"another runner records run {mark.run_id}")
        self._write()

    @property
    def log_file(self) -> Path:
        """Where the run's output is kept while it runs."""
        return self.folder / "output.log"

    @property
    def scratch(self) -> Path:
        """A folder for small files of the run, made when it is first asked for."""
        folder = self.folder / "scratch"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def end(self, mark: Mark) -> None:
        """Note how the run ended, for the next command, before the store is told."""
        self.mark = mark
        self._write()

    def release(self, *, keep: bool = False) -> None:
        """Give the run up; its folder goes too, unless what it holds was not delivered."""
        if not keep:
            _remove(self.folder)
        self._file.close()

    def _write(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump(self.mark._asdict(), self._file)
        self._file.flush()


def abandoned(active: Path, store: str) -> Iterator[Lease]:
    """The leases of runs in this store whose runner is gone; each must be released."""
    try:
        folders = sorted(active.iterdir())
    except FileNotFoundError:
        return
    for folder in folders:
        mark = _read_mark(folder / "run.json")
        if mark is None or mark.store != store:
            continue
        try:
            yield Lease(folder, mark)
        except OSError:
            continue  # its runner lives


def _read_mark(file: Path) -> Mark | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Mark(**content)
    except (OSError, ValueError, TypeError):
        return None  # being written by its runner, or not ours


def _remove(folder: Path) -> None:
    scratch = folder / "scratch"
    if scratch.exists():
        import shutil

        shutil.rmtree(scratch)
    for file in ("output.log", "run.json"):
        (folder / file).unlink(missing_ok=True)
    folder.rmdir()


def _open(file: Path) -> IO[str]:
    return open(file, "a+", encoding="utf-8")  # noqa: PTH123 - held open as long as the lease


def _lock(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
