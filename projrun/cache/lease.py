"""The mark of an active run: a folder with a locked file, since a dead runner holds no lock.

`active/<origin id>/run.json` is locked for as long as the runner lives, so being able to lock it means
that the run is lost; the run's output is kept beside it until it is an artifact. The origin id is made
here, before any store is asked: there is a lease before there is a run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from projrun.cache.locks import open_locked
from projrun.directories import make_private
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO, Literal

MARK = "run.json"
"""The file of a lease that is locked."""
_CREATED = "created"
MOMENT = 0.2
"""Seconds for which a lease may look held because someone looks at it."""
OUTPUT = "output.log"
"""The file with the output of the run's command."""
MESSAGES = "runner.log"
"""The file with what the runner of a detached run says."""


METRICS = "metrics.jsonl"
"""The file to which the run's command may append metrics."""


class Mark(NamedTuple):
    """What is known of an active run without asking the tracking store."""

    run_id: str
    """Its id in the store; empty until the store has answered."""
    store: str
    """The tracking store's URI without credentials."""
    status: Literal["", "FINISHED", "FAILED", "KILLED"] = ""
    """The end that could not be recorded; empty while the run is active."""
    reason: str = ""
    exit_code: int | None = None
    end_time: int | None = None
    tags: Mapping[str, str] = {}
    """Those of that end."""
    backend: str = ""
    job: str = ""
    """What that backend finds the run's job by, where the job survives its runner."""
    ended: bool = False
    """Whether the store has the end: what waits is something else."""
    offline: bool = False
    """Whether all of its record is in its folder, and its store was never asked."""
    continued: bool = False
    """Whether the run was there before (`--run-id`): what it has is not changed."""
    origin_id: str = ""
    """The id that projrun made: the run's own in stores of ours, elsewhere its tag `projrun.origin.run_id`."""
    experiment_id: str = ""
    """Where the store was asked to create the run, or to resume it; empty before that."""
    run_name: str = ""
    since: int = 0
    """When it began to be recorded, in milliseconds since the epoch."""
    pid: int = 0
    """The process id of a runner that a signal ends; 0 for one within a program that runs more than this (the API)."""
    host: str = ""
    """The machine that the runner is on."""


class Lease:
    """An active run's folder, held by this process until `release`."""

    def __init__(self, folder: Path, mark: Mark) -> None:
        """Raises BlockingIOError where another runner holds it, another OSError where it cannot be written."""
        self.folder = folder
        self.mark = mark
        while (file := _locked(folder)) is None:
            if (folder / MARK).exists():
                raise BlockingIOError(f"another runner records run {mark.run_id}")
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        try:
            self._write()
        except OSError:
            self.release()
            raise

    @classmethod
    def held(cls, folder: Path, mark: Mark, file: IO[str]) -> Lease:
        """The lease in a folder, whose locked file is open."""
        lease = cls.__new__(cls)
        lease.folder, lease.mark, lease._file = folder, mark, file
        lease._size = os.fstat(file.fileno()).st_size
        return lease

    @property
    def descriptor(self) -> int:
        """The open file that holds the lease: a process that inherits it holds it too, and can `adopt` it."""
        return self._file.fileno()

    @property
    def age(self) -> float:
        """Seconds since something was noted."""
        return max(0.0, time.time() - os.fstat(self._file.fileno()).st_mtime)

    @property
    def log_file(self) -> Path:
        """Where the run's output is kept while it runs."""
        return self.folder / OUTPUT

    @property
    def messages(self) -> Path:
        """What the runner of a detached run says; there is none for other runs."""
        return self.folder / MESSAGES

    @property
    def metrics(self) -> Path:
        """Where the command, which knows it as PROJRUN_METRICS, may append metrics."""
        return self.folder / METRICS

    @property
    def scratch(self) -> Path:
        """A folder for small files of the run, created on first use."""
        folder = self.folder / "scratch"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def created(self) -> list[str]:
        """The ids of the runs that the command of this run created."""
        try:
            return (self.folder / _CREATED).read_text(encoding="utf-8").split()
        except OSError:
            return []

    def note_created(self, run_id: str) -> None:
        """Note a run that the command created; on a full disk it is not noted."""
        with suppress(OSError):
            descriptor = os.open(self.folder / _CREATED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{run_id}\n")

    def note(self, mark: Mark) -> None:
        """Note what the next command needs if this one dies: the run's job, or how the run ended."""
        self.mark = mark
        self._write()

    def keep_log(self, folder: Path, ending: str = ".log") -> Path:
        """Move the output to a folder where it stays; raises OSError where that fails."""
        kept = folder / f"{self.mark.run_id or self.mark.origin_id}{ending}"
        make_private(folder)
        self.log_file.replace(kept)
        return kept

    def release(self, *, keep: bool = False) -> None:
        """Release the run and remove its folder, unless its content was not delivered."""
        if not keep:
            remove(self.folder)
        self._file.close()

    def _write(self) -> None:
        # In place, over all of what was there: who reads it meanwhile, or finds it on a full disk, finds a mark.
        text = json.dumps(self.mark._asdict()).ljust(self._size)
        self._file.seek(0)
        self._file.write(text)
        self._file.flush()
        self._size = len(text)


def _locked(folder: Path) -> IO[str] | None:
    """The locked file of a new lease; None where a runner holds it, or a command has removed it as a dead one's."""
    make_private(folder)
    try:
        return open_locked(folder / MARK, os.O_RDWR | os.O_CREAT, MOMENT)
    except FileNotFoundError:  # removed this moment, while it was empty
        return None


def new_origin_id() -> str:
    """32 hex digits, as MLflow's ids have them."""
    return os.urandom(16).hex()


def lease_of(active: Path, run_id: str) -> Path | None:
    """The folder of a run's lease, by the id that the run has in its store; None where this machine has none."""
    return next((folder for folder, mark in marks(active) if mark.run_id == run_id), None)


def marks(active: Path) -> Iterator[tuple[Path, Mark]]:
    """The folders of all leases, held or not, with what they say."""
    for folder in folders(active):
        mark = read_mark(folder / MARK)
        if mark is not None:
            yield folder, mark


def has_others(active: Path) -> bool:
    """Whether there are other leases than one."""
    try:
        return len(os.listdir(active)) > 1  # noqa: PTH208 - in every run
    except OSError:
        return False


def folders(active: Path) -> list[Path]:
    """The folders of all leases, readable or not."""
    try:
        return sorted(active.iterdir())
    except OSError:  # none yet, or another user's
        return []


def read_mark(file: Path) -> Mark | None:
    """What a lease says; None while it is being written, and for a file that is no lease."""
    try:
        return parse_mark(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def parse_mark(text: str) -> Mark | None:
    """The mark that a text is; None for any other."""
    try:
        return Mark(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None


def remove(folder: Path) -> None:
    """Remove a lease, which this process has locked, and all beside it."""
    # The mark last: of a runner that is killed meanwhile, the next command finds the rest.
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name != MARK:
                _remove_one(path)
        (folder / MARK).unlink(missing_ok=True)
        folder.rmdir()


def _remove_one(path: Path) -> None:
    try:
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    except OSError:  # a folder that holds something
        import shutil

        shutil.rmtree(path, ignore_errors=True)
