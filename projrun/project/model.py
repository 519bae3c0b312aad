"""The MLproject as values: what the file says, parsed once, never a dict.

Tuples, not dataclasses: forty dataclasses cost the hot path 23 ms, those of `typing` 5, ours 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    ParameterType = Literal["string", "float", "int", "number", "bool", "path", "uri"]
    EnvironmentKind = Literal[
        "python_env",
        "conda_env",
        "uv_env",
        "requirements",
        "poetry",
        "pylock",
        "script",
        "docker_env",
        "none",
    ]
    """The kinds of MLflow's and ours; another package's manager may serve more (`EnvironmentReference.kind`)."""


class Location(NamedTuple):
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Parameter(NamedTuple):
    """A declared parameter of an entry point."""

    name: str
    type: ParameterType
    declared_type: str
    """The type word as the author wrote it (`str`, `integer`, an unknown word that runs as `string`)."""
    default: str | None = None
    """The default's text as it ends in the command (docs/mlproject.md, "YAML values"); None where there is none."""
    required: bool = True
    """False for `required: false`: omitted when not given, its placeholder becomes nothing."""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    secret: bool = False
    description: str = ""
    location: Location | None = None


class OutputArtifact(NamedTuple):
    """Files of the project that become artifacts of a run when its command has ended."""

    name: str
    """What other entry points know it by: the glob itself where the author gave no name."""
    glob: str
    """Relative to the project's folder; `**` is any number of folders."""


class Outputs(NamedTuple):
    """What is recorded of a command without its help."""

    patterns: tuple[str, ...] = ()
    """Regular expressions over the lines of its output; each named group is a metric, `step` the step."""
    files: tuple[str, ...] = ()
    """JSON and CSV files of the project with metrics."""
    artifacts: tuple[OutputArtifact, ...] = ()


class EntryPoint(NamedTuple):
    """A named command of the project, or a script that runs as one."""

    name: str
    command: str
    parameters: Mapping[str, Parameter]
    location: Location | None = None
    """Where the command is in the MLproject file; None for a script."""
    outputs: Outputs | None = None


class DockerEnv(NamedTuple):
    """The `docker_env` mapping of the MLproject file."""

    image: str
    volumes: tuple[str, ...] = ()
    copied_variables: tuple[str, ...] = ()
    set_variables: tuple[tuple[str, str], ...] = ()


class EnvironmentReference(NamedTuple):
    """Which environment the project asks for, and where it says so."""

    kind: str
    """One of `EnvironmentKind`, or the key of an environment that another package's manager builds."""
    file: Path | None = None
    """Absolute path of the environment file; None for `docker_env` and `none`."""
    docker: DockerEnv | None = None
    location: Location | None = None
    """Where the MLproject file names it; None for a default file."""
    python: str = ""
    """The version of Python where the file asks for none; empty: the manager's choice. A model's MLmodel says it."""
    python_origin: str = ""
    """Where it is asked for, for people."""


class Project(NamedTuple):
    """An MLproject folder that was read."""

    directory: Path
    name: str | None
    file: Path | None
    """The MLproject file; None for a plain folder whose files run as scripts."""
    environment: EnvironmentReference
    entry_points: Mapping[str, EntryPoint]
    warnings: tuple[str, ...] = ()
    broken: Mapping[str, RequestError] = {}
    """Entry points that cannot run, and why: an error only for whoever asks for one of them."""
    others: tuple[EnvironmentReference, ...] = ()
    """The environments that the file names besides `environment`: only one can be used."""
    within: Path | None = None
    """What its files may not leave: the top of a fetched checkout; None for the user's own folder."""


class BoundParameter(NamedTuple):
    """A parameter with the value of this run."""

    name: str
    type: ParameterType
    raw: str
    """What the user wrote, or the default's text: this is recorded."""
    value: str
    """What the command gets, not yet quoted: for `path` an absolute path, else `raw` unchanged."""
    origin: Literal["command line", "parameters file", "default", "api", "record"]
    declared: bool = True
    secret: bool = False
    download: str | None = None
    """The URI that must be downloaded to `value` before the command starts (type `path`)."""


class Invocation(NamedTuple):
    """An entry point bound to values: the command is complete."""

    entry_point: str
    command: str
    parameters: tuple[BoundParameter, ...]
    warnings: tuple[str, ...] = ()
    shown_command: str = ""
    """The command as people may see it: secret values masked."""
    outputs: Outputs | None = None
