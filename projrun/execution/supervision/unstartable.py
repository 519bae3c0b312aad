"""Why a process could not be started, and what to do about it."""

from __future__ import annotations

import errno

from projrun.errors import EnvironmentBuildError, ProjrunError, RequestError, SourceError
from projrun.execution.protocol import JobSpec


def explained(error: OSError | ValueError, program: str, spec: JobSpec) -> ProjrunError:
    """The error for people; `error` is what `subprocess` raised for `program`."""
    if isinstance(error, ValueError):
        return RequestError(f"the command cannot be started: {error}")
    if not spec.directory.is_dir():
        return SourceError(f"{spec.directory}: the project's folder is gone")
    if error.errno == errno.E2BIG:
        return RequestError(
            "the command and its environment variables are longer than the system allows",
            hint="pass long values in a file",
        )
    if isinstance(error, FileNotFoundError):
        return EnvironmentBuildError(
            f"{program} was not found on the run's PATH ({spec.environ.get('PATH', 'not set')})",
            hint=f"install {program}, or put its folder on PATH",
        )
    return EnvironmentBuildError(f"{program} cannot be started: {error.strerror}")
