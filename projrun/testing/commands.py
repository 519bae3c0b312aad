"""Running a command in a prepared environment as a run does, and reading its result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from projrun.environments.protocol import ChildProcess, EnvironmentRequest, Launch, PreparedEnvironment
from projrun.execution.protocol import JobSpec, Outcome
from projrun.execution.registry import get_backend
from projrun.plugins import built_ins
from projrun.running.child import child_environment


class Done(NamedTuple):
    """A command that has ended."""

    output: str
    """What it printed, without the last newline."""
    outcome: Outcome


def run_in(
    prepared: PreparedEnvironment, request: EnvironmentRequest, command: str, folder: Path, **variables: str
) -> Done:
    """Run a shell line in the project's folder, by the local backend; `folder` is for the run's own files."""
    scratch = folder / f"run-{os.urandom(4).hex()}"
    scratch.mkdir(mode=0o700)
    launch = Launch(
        command=command,
        directory=request.project_directory,
        environ=child_environment(request.environ, prepared, variables),
        variables=variables,
        artifact_uri=(scratch / "artifacts").as_uri(),
        downloads=(),
        scratch=scratch,
        log_file=scratch / "output.log",
        grace_period=5.0,
    )
    child = ChildProcess((), launch.environ) if prepared.wrap is None else prepared.wrap(launch)
    backend = get_backend(built_ins().DEFAULT_BACKEND)
    outcome = backend.attach(backend.submit(_job_spec(prepared, launch, child), {})).wait()
    return Done(launch.log_file.read_text(encoding="utf-8").rstrip("\n"), outcome)


def _job_spec(prepared: PreparedEnvironment, launch: Launch, child: ChildProcess) -> JobSpec:
    return JobSpec(
        command=launch.command,
        argv_prefix=prepared.argv_prefix,
        directory=launch.directory,
        environ=child.environ,
        log_file=launch.log_file,
        grace_period=launch.grace_period,
        argv=child.argv,
        end_argv=child.end_argv,
        end_environ=child.end_environ,
        end_function=child.end_function,
        end_details=child.end_details,
    )
