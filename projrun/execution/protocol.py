"""The contract of execution backends: they launch a task and return a job that can be supervised."""

# No `from __future__ import annotations`: NamedTuple compiles each annotation that is a string, 2 ms of every run.
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

Status = Literal["FINISHED", "FAILED", "KILLED"]


class Capabilities(NamedTuple):
    """What a backend can do: the core reads these and never checks a name."""

    streams_output: bool = True
    """The job's output can be read from file descriptors while it runs."""
    forwards_signals: bool = True
    """`Job.signal` reaches the whole process tree of the job."""
    accepts_config: bool = False
    """It accepts `--backend-config`."""


class Outcome(NamedTuple):
    """How a job ended."""

    status: Status
    exit_code: int
    """What `projrun` exits with: the child's own code, 128 + N for a child that died of signal N."""
    reason: str = ""
    """Empty when it finished, else one line: `exit code 3`, `killed by SIGKILL`, `interrupted by SIGINT`."""
    signal: int | None = None
    """The signal that the runner received and forwarded, where that ended the run."""
    warnings: tuple[str, ...] = ()
    """What went wrong without ending the run: a log file on a full disk, leftover processes."""


class Task(NamedTuple):
    """What to run, complete: a backend looks nothing up."""

    command: str
    """The shell line, run as `bash -c`."""
    argv_prefix: tuple[str, ...]
    directory: Path
    environ: Mapping[str, str]
    """The child's whole environment."""
    log_file: Path
    """Where the output is kept; its folder exists."""
    grace_period: float
    """Seconds between TERM and KILL."""
    secrets: tuple[str, ...] = ()
    """Texts that are masked in the log file."""
    argv: tuple[str, ...] = ()
    """The whole process to start, where the environment wraps the command (a container); else `bash -c`."""
    end_argv: tuple[str, ...] = ()
    """What the guard runs, after it ended the process, when the runner died."""
    end_environ: Mapping[str, str] = {}
    """The whole environment of `end_argv`."""
    conclude: Callable[[Outcome], Outcome] | None = None
    """What the job calls when its process has ended and its output is complete, still under its guard: it
    reads how the command ended and removes what is left of it. May be called again when it is interrupted.
    """
    forward_stdout_to_stderr: bool = False
    """`--json`: stdout belongs to projrun, so the child's goes to stderr."""


class Job(Protocol):
    """A task that was launched."""

    @property
    def identifier(self) -> str:
        """What people look it up by (a process id), for the record."""
        ...

    def signal(self, signum: int) -> None:
        """Pass a signal to the whole job; a job that is gone is not an error."""
        ...

    def wait(self) -> Outcome:
        """Forward the output as it arrives, return when the job has ended and its output is complete."""
        ...


class Backend(Protocol):
    """An execution backend (`--backend NAME`). Its class takes no argument."""

    name: str
    capabilities: Capabilities

    def check(self, config: Mapping[str, object]) -> None:
        """Refuse a `--backend-config` that is wrong with RequestError; called by the plan."""
        ...

    def launch(self, task: Task, config: Mapping[str, object]) -> Job:
        """Start it."""
        ...
