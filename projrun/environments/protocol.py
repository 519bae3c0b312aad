"""The contract of environment managers, and the values that pass through it.

A manager first *resolves* (reads spec files, finds an interpreter, computes the cache key; changes
nothing), later *prepares* (builds, or finds what was built). The core knows managers only by this: what is special to
one manager is a record of options that the manager reads (`TakesOptions`) and the core hands through.
"""

# No `from __future__ import annotations`: plug-ins are checked against the types of the contract.
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from projrun.errors import EnvironmentBuildError
from projrun.project.model import EnvironmentReference
from projrun.settings import Settings
from projrun.settings.options import OPTIONS
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

Progress = Callable[[str], None]
"""Takes one line of plain text about what is happening now."""


class GivenOptions(NamedTuple):
    """What a manager reads its record of options from."""

    settings: Settings
    """Options, variables and `config.toml`, by long name."""
    caller_directory: Path
    """What relative paths are relative to."""
    environ: Mapping[str, str] = {}
    """The caller's environment, for variables of the manager's own."""
    requested: Mapping[str, object] = {}
    """What settings do not hold, by long name: flags, tuples of repeated options, the API's `registry-login`."""

    def has(self, name: str) -> bool:
        """Whether an option was given, or is set in another place."""
        return bool(self.requested.get(name)) or (name in OPTIONS and self.settings.get(name) is not None)

    def absolute(self, path: str) -> Path:
        """A path that the user wrote."""
        return Path(os.path.normpath(self.caller_directory / os.path.expanduser(path)))  # noqa: PTH111 - Path raises for ~nobody


ANY_KIND = frozenset({"*"})
"""The `kinds` of a manager that takes every project."""


class Capabilities(NamedTuple):
    """What a manager can do: the core reads these and never checks a name."""

    kinds: frozenset[str]
    """The `EnvironmentReference.kind`s it can serve: keys of MLproject (`python_env`), also ones of its own."""
    builds: bool = True
    """False where nothing is built (`local`)."""
    cached: bool = True
    """True where the result lives in the environment cache under a content key."""
    containers: bool = False
    """True where the command runs in a container: the project's kind decides for this manager even against another
    that was named, as in MLflow: a driver's choice is also that of its steps.
    """
    locks: frozenset[str] = frozenset()
    """The kinds of lock (`lock_text.lock_kind`) that `--locked FILE` can be built from."""
    resources: frozenset[str] = frozenset()
    """Which of the limits `memory`, `cpus` and `gpus` its containers hold: the plan refuses the others."""

    def serves(self, kind: str) -> bool:
        """Whether it takes projects with this kind of environment."""
        return kind in self.kinds or self.kinds == ANY_KIND


class Refusal(NamedTuple):
    """Why a manager cannot build one environment, though it serves its kind."""

    reason: str
    """Half a sentence for the plan, where another manager is chosen: `conda.yaml needs more than pip can install`."""
    error: EnvironmentBuildError
    """What to say where no other manager serves."""
    substitute: bool = False
    """True where it can build a substitute, which is used where no other manager can build the original now."""


class EnvironmentRequest(NamedTuple):
    """What the plan asks of a manager."""

    project_directory: Path
    reference: EnvironmentReference
    cache_directory: Path
    """The root of the environment cache."""
    environ: Mapping[str, str]
    """The caller's environment: PATH, index settings, PYENV_ROOT."""
    temporary_checkout: bool = False
    """True where the project's folder is removed after the run: nothing that stays may depend on its place."""
    checkout_root: Path | None = None
    """The top of a fetched project's checkout, whose folder is `project_directory` or one above it."""
    project_name: str | None = None
    commit: str | None = None
    lock_file: Path | None = None
    """`--locked FILE`: build from this lock instead of the spec."""
    options: object = None
    """What the manager's `read_options` returned; None if it has no options of its own."""
    offline: bool = False
    """`--offline`: whether a place answers is not asked."""
    instead: str = ""
    """Why a substitute is built: half a sentence for its warning; empty where the user chose the manager."""

    def options_as(self, record: "type[T]") -> "T":
        """The manager's own options; their defaults in a request that has none."""
        return self.options if isinstance(self.options, record) else record()


class ResolvedEnvironment(NamedTuple):
    """A manager's answer: what would be used, and whether it exists. Part of the plan: it holds no secret."""

    manager: str
    summary: str
    """One line for people: `uv, Python 3.11.7, 3 requirements from python_env.yaml`."""
    key: str | None = None
    """The content key in the cache: hex; None where nothing is cached."""
    path: Path | None = None
    """Where it is or would be built."""
    exists: bool = True
    python: Path | None = None
    """The interpreter it is built from."""
    recorded_kind: str = "local"
    """The `mlflow.project.env` tag: MLflow's word, `virtualenv`, `uv`, `conda`, `docker` or `local`."""
    details: object = None
    """The manager's own parsed spec, handed back to `prepare` untouched."""
    warnings: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}
    """Tags of the run."""
    facts: tuple[tuple[str, str], ...] = ()
    """More facts for the plan: a word (`image`, `mount`, `user`) and its value; words may repeat."""


METRICS = "PROJRUN_METRICS"
"""The variable with the file to which a command may append JSON lines of metrics."""


class Launch(NamedTuple):
    """A command that is about to start, for a manager that wraps it in its own process."""

    command: str
    """The shell line."""
    directory: Path
    """The project's folder on this machine."""
    environ: Mapping[str, str]
    """What the command's whole environment would be on this machine."""
    variables: Mapping[str, str]
    """Those of them that projrun sets for the run: they must reach the command wherever it runs."""
    artifact_uri: str
    downloads: tuple[Path, ...]
    """Local files and folders that the command's parameters name."""
    scratch: Path
    """A folder of this run for small files (mode 0700); removed after the end."""
    log_file: Path
    """Where the output is kept while the command runs."""
    grace_period: float
    own_endpoint: bool = False
    """True where the command's tracking URI is projrun's own endpoint: it needs no login and no certificates."""
    terminal: bool = False
    """Whether the process has a terminal for its standard input, output and error."""
    memory: int = 0
    """The most that it may use, in bytes; 0: no limit."""
    cpus: float = 0.0
    """The processors that it may use; 0: no limit."""
    gpus: tuple[str, ...] | None = None
    """The GPUs that it may use, by index or UUID; None: no limit."""


class ChildProcess(NamedTuple):
    """The process that runs a command where that is not `bash -c` in the project's folder."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    end_argv: tuple[str, ...] = ()
    """What ends the command where killing the process does not: the guard runs it when the runner died."""
    end_environ: Mapping[str, str] = {}
    """The whole environment of `end_argv`, also given to `end_function`: small, and without secrets."""
    end_function: str = ""
    """`module:function`, called as `function(outcome, end_details, end_environ) -> Outcome` when the process has ended:
    it reads how the command ended and removes what is left of it. It may be called again when it is interrupted;
    raises EnvironmentBuildError for a command that never began.
    """
    end_details: Mapping[str, str] = {}
    warnings: tuple[str, ...] = ()
    """What the user should know before the command starts."""
    passes_keys: bool = False
    """Whether it makes its terminal raw only to pass on what is typed: Ctrl-C is then an interrupt all the same."""


class EndpointReach(NamedTuple):
    """How a command that is not on this machine's loopback reaches the run's endpoint."""

    host: str
    """The name or address that the command uses."""
    addresses: tuple[str, ...] = ()
    """Addresses of this machine to listen on beside 127.0.0.1; never 0.0.0.0."""


class PreparedEnvironment(NamedTuple):
    """An environment that commands can run in now."""

    environ: Mapping[str, str]
    """Variables to set for the child, over the caller's environment."""
    unset: frozenset[str] = frozenset()
    """Variables that the child must not inherit (PYTHONHOME, …)."""
    path_prefix: tuple[Path, ...] = ()
    """Folders to put first on the child's PATH."""
    argv_prefix: tuple[str, ...] = ()
    """Words to put before the child's argv (empty for managers that work through PATH)."""
    lock: str | None = None
    """What is installed, as a text that `--locked` takes; None where it is not known (`local`)."""
    lock_name: str = "requirements.lock.txt"
    """The name of that text as an artifact below `environment/`."""
    built: bool = False
    """True where this call built it."""
    build_log: Path | None = None
    tags: Mapping[str, str] = {}
    """Tags of the run that are known only now (`mlflow.docker.image.id`)."""
    wrap: Callable[[Launch], ChildProcess] | None = None
    """Makes the child's process, for managers that do not work through PATH."""
    endpoint: EndpointReach | None = None
    """How the endpoint is reached; None: on the loopback."""


class EnvironmentManager(Protocol):
    """An environment manager (`--env-manager NAME`). Its class takes no argument."""

    name: str
    capabilities: Capabilities

    def available(self, environ: Mapping[str, str]) -> bool:
        """Whether the tool that it needs is on this machine; cheap, no subprocess."""
        ...

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """Read the spec and find the interpreter; build nothing.

        Raises RequestError for a spec that is wrong, EnvironmentBuildError for what is missing on this machine.
        """
        ...

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """Build it, or find it built; EnvironmentBuildError carries the tool's own last lines as `detail`."""
        ...
