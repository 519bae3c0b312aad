"""What an environment file asks for: a frozen value that every manager takes."""

from __future__ import annotations

from pathlib import Path

from projrun.tuples import NamedTuple
from projrun_backends.environments.python.requirements import Requirements
from projrun_backends.environments.python.versions import PythonRequest


class EnvironmentSpec(NamedTuple):
    """A Python environment to build: the same for every kind of file."""

    source: str
    """The file as messages call it; empty where the project has none."""
    python: PythonRequest | None = None
    """None: the running interpreter's version."""
    python_origin: str = ""
    """Where the version is asked for, `python_env.yaml:1:9`."""
    python_required: bool = False
    """True where `python` is a limit (`requires-python`): a `.python-version` chooses within it."""
    python_instead: PythonRequest | None = None
    """Accepted, with a warning, if the exact patch that is asked for is not installed."""
    build_requirements: Requirements = Requirements()
    """Installed before the others."""
    requirements: Requirements = Requirements()
    variables: tuple[tuple[str, str], ...] = ()
    """What a conda file's `variables:` sets."""
    files: tuple[Path, ...] = ()
    """Every file that was read."""
    locked_project: Path | None = None
    """The folder of a `uv.lock` that is to be installed as it is."""
    dependency_file: Path | None = None
    """A file that uv is to install from, instead of from the lines."""
    uv_project: Path | None = None
    """The folder of a project of uv's own: editable by convention, though no file says so."""
    script: Path | None = None
    """The script whose inline block this is (PEP 723)."""
    seeded: bool = True
    """False if the environment has no pip of its own."""
    pinned: bool = False
    """True where the requirements are a lock: exactly these are installed."""
    texts: tuple[str, ...] = ()
    """Text beyond the requirements that decides what is installed (lock files)."""
    translated: tuple[tuple[str, str], ...] = ()
    """What conda was to install, and the requirement that pip is given instead, empty for what is left out."""
    needs_uv: str = ""
    """Why pip cannot install it, half a sentence; empty where it can."""
    warnings: tuple[str, ...] = ()
    pip_warnings: tuple[str, ...] = ()
    """More of them, where pip installs."""

    @property
    def summary(self) -> str:
        """`3 requirements from python_env.yaml`."""
        if self.locked_project or (self.script and self.source.endswith(".lock")):
            return f"locked by {self.source}"
        if not self.source:
            return "no requirements"
        count = self.requirements.packages + self.build_requirements.packages
        if self.pinned:
            return f"{count} package{'' if count == 1 else 's'} locked by {self.source}"
        return f"{count} requirement{'' if count == 1 else 's'} from {self.source}"
