"""What an execution backend is: it submits a job, and finds it again by a text.

`submit` starts what a `JobSpec` describes and answers with a `JobRef`; `attach` turns that text into a `Job`, in this
process or in another one.
"""

# No `from __future__ import annotations`: plug-ins are checked against the types of the contract.
from collections.abc import Mapping
from pathlib import Path

from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import Literal

    Status = Literal["FINISHED", "FAILED", "KILLED"]

_STATUSES: "tuple[Status, ...]" = ("FINISHED", "FAILED", "KILLED")

JobRef = str
"""What a backend finds a job by: one line of printable text without secrets, which survives the process."""


UNKNOWN_EXIT_CODE = -1
_LARGEST_CODE = 255


class Limits(NamedTuple):
    """What a job may take; 0 means that there is no limit."""

    timeout: float = 0.0
    """Seconds that it may run."""
    memory: int = 0
    """Bytes."""
    cpus: float = 0.0
    """Processors; 2.5 is the time of two and a half."""


class Capabilities(NamedTuple):
    """What a backend can do: the core asks these, never a name."""

    accepts_config: bool = False
    """Whether it takes a `--backend-config`; otherwise one has no effect, with a warning."""
    survives_runner: bool = False
    """Whether a job goes on when its runner dies: the next command asks `attach` how it ended; else it is KILLED."""
    resources: frozenset[str] = frozenset()
    """The fields of `JobSpec.limits` that it holds, and `gpus` where jobs run on this machine, whose GPUs projrun
    picks. The plan refuses the others.
    """


class Outcome(NamedTuple):
    """How a job ended."""

    status: "Status"
    exit_code: int
    """What `projrun` exits with: the child's own code, 128 + N for a child that died of signal N.

    UNKNOWN_EXIT_CODE, with the status FAILED, where the job has ended and its backend cannot say how.
    """
    reason: str = ""
    """Empty when it finished, else one line: `exit code 3`, `killed by SIGKILL`, `interrupted by SIGINT`."""
    signal: int | None = None
    """The signal that the runner received and forwarded, where that ended the run."""
    warnings: tuple[str, ...] = ()
    """What went wrong beside the job and was survived: a log file on a full disk, processes left behind."""
    cause: str = ""
    """What is known to have ended it: `timeout`, `oom`, or the name of the signal that the command died of."""

    def mistake(self, what: str) -> str:
        """Why it cannot be recorded; empty where it can. `what` says where it comes from, for people."""
        if self.status not in _STATUSES:
            return f"{what} has the status {self.status!r}, not {', '.join(_STATUSES)}"
        for name, kind in (("exit_code", int), ("reason", str), ("warnings", tuple), ("cause", str)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                shown = f"{type(value).__name__}, not {kind.__name__}"
                return f"the {name.replace('_', ' ')} of {what} is of the type {shown}"
        if (self.status == "FINISHED") != (
            self.exit_code == 0
        ) or not UNKNOWN_EXIT_CODE <= self.exit_code <= _LARGEST_CODE:
            return f"{what} has the status {self.status} and the exit code {self.exit_code}"
        if not all(isinstance(warning, str) for warning in self.warnings):
            return f"a warning of {what} is not a string"
        return ""


class JobSpec(NamedTuple):
    """What is to run, complete: nothing in it needs to be looked up again."""

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
    timestamps: bool = False
    """Whether each line of the log file begins with the time at which it came: ISO 8601, UTC, milliseconds."""
    argv: tuple[str, ...] = ()
    """The whole process to start, where the environment wraps the command (a container); else `bash -c`."""
    end_argv: tuple[str, ...] = ()
    """What the guard runs, after it ended the process, when the runner died."""
    end_environ: Mapping[str, str] = {}
    """The whole environment of `end_argv`, also given to `end_function`."""
    end_function: str = ""
    """`module:function`, called as `function(outcome, end_details, end_environ) -> Outcome` when the process has ended
    and its output is complete, still under its guard: it reads how the command ended and removes what is left of it.
    It may be called again when it is interrupted.
    """
    end_details: Mapping[str, str] = {}
    forward_stdout_to_stderr: bool = False
    """`--json`: stdout belongs to projrun, so the child's goes to stderr."""
    terminal: bool = False
    """Whether the child gets a terminal for those standard descriptors of this process that are one; else pipes."""
    keyboard: bool = False
    """Whether that is its controlling terminal, and gets what is typed at this process's; else it is for output."""
    passes_keys: bool = False
    """Whether the process makes its terminal raw only to pass keys on: Ctrl-C is then an interrupt all the same."""
    limits: Limits = Limits()
    kept_open: tuple[int, ...] = ()
    """Descriptors of this process (locks) that the job's guard keeps open until the job's processes have ended. They
    mean nothing in another process.
    """
    mark: str = ""
    """The run's own id in the variable PROJRUN_RUN_IDS, by which what the command started is found."""
    end_leftovers: bool = False
    """Whether what runs on in other sessions is ended also where the command ended by itself."""

    @property
    def process(self) -> tuple[str, ...]:
        """The process that runs it: `argv`, else `bash -c COMMAND` after the prefix."""
        return self.argv or (*self.argv_prefix, "bash", "-c", self.command)


class Job(Protocol):
    """A job that was submitted."""

    def poll(self) -> Outcome | None:
        """Say how it ended, None while it runs; never waits for it."""
        ...

    def wait(self) -> Outcome:
        """Return when the job has ended and its output is complete.

        In the process that submitted the job the output is forwarded as it arrives.
        """
        ...

    def signal(self, signum: int) -> None:
        """Pass a signal to the whole job; a job that is gone is not an error."""
        ...

    def logs(self, offset: int) -> bytes:
        """Give what the job has printed so far from that byte on, secrets masked; empty where there is nothing more."""
        ...


class ExecutionBackend(Protocol):
    """An execution backend (`--backend NAME`). Its class takes no argument."""

    name: str
    capabilities: Capabilities

    def check(self, config: Mapping[str, object]) -> None:
        """Refuse a `--backend-config` that is wrong with RequestError; called by the plan."""
        ...

    def submit(self, spec: JobSpec, config: Mapping[str, object]) -> JobRef:
        """Start it, and return at once. Raises a ProjrunError that says why it cannot be started."""
        ...

    def attach(self, ref: JobRef) -> Job:
        """Find a job, also one that has ended; RequestError for a reference that this backend did not give."""
        ...
