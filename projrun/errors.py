"""Errors that a person can act on: one line that says what is wrong and where, a hint, and an exit code.

Only the command line turns them into output and exit codes (`projrun.cli`). Exit codes are part of
the interface: 2 a mistake in the request, 3 the source, 4 the environment, 5 the tracking store,
70 a bug in projrun, 74 a full or read-only disk (whatever was written), 130/143 interrupted.
"""

from __future__ import annotations

from projrun.reporting import visible
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ProjrunError(Exception):
    """What a user's action can cause. `message` is one line, `hint` what to do, `detail` extra lines."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        self.run_id: str | None = None
        """The run that the error ended, where one had been created."""

    def __str__(self) -> str:
        """The message as a traceback may show it: Python prints it as it is."""
        return visible(self.message)


class RequestError(ProjrunError):
    """The request is wrong: usage, the MLproject file, a parameter, a setting."""

    exit_code = 2


class PluginError(ProjrunError):
    """Another package's plug-in is faulty: it cannot be loaded, or fails in a way that its contract does not allow.

    The request that chose it is to be changed until that package is: the exit code is a request's.
    """

    exit_code = 2


class SourceError(ProjrunError):
    """The project could not be fetched."""

    exit_code = 3


class EnvironmentBuildError(ProjrunError):
    """The environment could not be built."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "", detail: str = "", log: Path | None = None) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.log = log
        """The whole output of the build that failed, which becomes an artifact of the run."""


class DiskError(ProjrunError):
    """Nothing can be written: the disk is full, or mounted read-only."""

    exit_code = 74


class Interruption(ProjrunError):
    """A signal ended the command."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Stopped(BaseException):
    """A signal stops what is going on: no code may take it for an error of what it called."""


class TrackingError(ProjrunError):
    """The tracking store refused the request or could not be reached."""

    exit_code = 5


class UnavailableError(TrackingError):
    """The server cannot be reached or is overloaded now: a retry may help."""

    def __init__(self, message: str, *, hint: str = "", detail: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.retry_after = retry_after


class ConflictError(UnavailableError):
    """Two transactions could not both be kept, and this one was given up whole: the same again may succeed."""


class OutOfReachError(TrackingError):
    """No artifacts can be reached at this URI from here, however often it is tried."""


class OverdueError(TrackingError):
    """The time that all work with the tracking store has is over, or a signal ended it: nothing more is tried."""


class NotFoundError(TrackingError):
    """Not found in the tracking store (MLflow's RESOURCE_DOES_NOT_EXIST)."""


class AlreadyExistsError(TrackingError):
    """The tracking store already has one (MLflow's RESOURCE_ALREADY_EXISTS)."""


class InvalidValueError(TrackingError):
    """The tracking store refuses a value (MLflow's INVALID_PARAMETER_VALUE)."""


_DISK = (
    "No space left on device",
    "Disk quota exceeded",
    "Read-only file system",
    "disk is full",
    "os error 28",
)
"""What the system, SQLite and installers say of a disk on which nothing can be written."""


def with_disk_code(error: ProjrunError) -> ProjrunError:
    """The error, with the one exit code for such a disk where that is the reason, whatever failed on it."""
    said = f"{error.message}\n{error.detail}"
    if not isinstance(error, Interruption) and any(words in said for words in _DISK):
        error.exit_code = DiskError.exit_code
    return error
