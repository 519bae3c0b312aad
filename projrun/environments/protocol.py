"""What an environment manager is: a tiny contract, and the values that pass through it.

A manager first *resolves* (reads spec files, finds an interpreter, computes the cache key; changes
nothing), later *prepares* (builds, or finds what was built). The core knows managers only by this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from projrun.project.model import EnvironmentReference

Progress = Callable[[str], None]
"""Takes one line of plain text about what is happening now."""


class Capabilities(NamedTuple):
    """What a manager can do: the core asks these, never a name."""

    kinds: frozenset[str]
    """The `EnvironmentReference.kind`s it can serve."""
    builds: bool = True
    """False where nothing is built (`local`)."""
    cached: bool = True
    """True where the result lives in the environment cache under a content key."""


class EnvironmentRequest(NamedTuple):
    """What the plan asks of a manager."""

    project_directory: Path
    reference: EnvironmentReference
    cache_directory: Path
    """The root of the environment cache."""
    environ: Mapping[str, str]
    """The caller's environment: PATH, index settings, PYENV_ROOT."""
    temporary_checkout: bool = False
    """True where the project's folder is removed after the run: editable dependencies are refused there."""


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
    spec_files: tuple[Path, ...] = ()
    """The files that it was read from, for the record."""
    details: object = None
    """The manager's own parsed spec, handed back to `prepare` untouched."""
    warnings: tuple[str, ...] = ()


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
    """What is installed, as requirement lines; None where it is not known (`local`)."""
    built: bool = False
    """True where this call built it."""
    build_log: Path | None = None


class EnvironmentManager(Protocol):
    """An environment manager (`--env-manager NAME`). Its class takes no argument."""

    name: str
    capabilities: Capabilities

    def available(self, environ: Mapping[str, str]) -> bool:
        """Whether the tool that it needs is on this machine; cheap, no subprocess."""
        ...

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """Read the spec and find the interpreter; build nothing.

        Raises RequestError for a spec that is wrong, EnvironmentBuildError for what this machine lacks.
        """
        ...

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """Build it, or find it built; EnvironmentBuildError carries the tool's own last lines as `detail`."""
        ...
