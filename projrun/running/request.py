"""What a person asks for: a value that the command line, the API and `rerun` build.

It travels as JSON (`request_json`), its secrets by reference (`request_secrets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.cache.ownership import secured
from projrun.directories import Directories
from projrun.execution.registry import get_backend
from projrun.project.binding import GivenValue
from projrun.running.record.parent import PARENT_RUN_ID
from projrun.settings import Settings
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.running.during.sampling import Sampling


class SecretRef(NamedTuple):
    """Where a secret is: in a variable, or in a file that only its owner may read. Exactly one of them is set."""

    variable: str | None = None
    file: Path | None = None
    """A JSON object in which the secret's key is its place in the request: `uri`, `options/NAME`, …"""


class RunRequest(NamedTuple):
    """All that a person asks for, before anything is looked up."""

    uri: str
    caller_directory: Path
    """What relative paths are relative to."""
    entry_point: str = "main"
    version: str | None = None
    parameters: Mapping[str, GivenValue] = {}
    options: Mapping[str, str | tuple[str, ...]] = {}
    """Those of the options table that were given, by long name; a flag is "1", a repeated option a tuple."""
    registry_login: Mapping[str, str] = {}
    """The API's `docker_auth`, which no option can give."""
    tags: Mapping[str, str] = {}
    """Tags of the run beyond those that every run has."""
    patch: Path | None = None
    """A diff to apply to the run's copy of the checkout: the uncommitted changes of the run that is repeated."""
    recorded: Mapping[str, str] = {}
    """Settings of the run that is repeated, by long name: options take precedence over them, they over variables."""
    record: str = ""
    """Where `recorded` comes from, for people."""
    secrets: Mapping[str, SecretRef] = {}
    """Where secrets are that are not in this value; keys are places: `uri`, `parameters/NAME`, `options/NAME` and
    `registry-login`.
    """

    def text(self, option: str) -> str | None:
        """The value of an option that takes one; None if it was not given."""
        value = self.options.get(option)
        return value if isinstance(value, str) else None

    def enabled(self, option: str) -> bool:
        """Whether a flag was given that is not a setting."""
        return option in self.options


class Context(NamedTuple):
    """Where a request is run: what this process's environment and this user's folders add to it."""

    settings: Settings
    directories: Directories
    environ: Mapping[str, str]
    """The caller's environment, with `--env-file` under it."""
    warnings: tuple[str, ...] = ()
    """What had to be changed about this user's folders."""

    def with_record(self, values: Mapping[str, str], origin: str) -> Context:
        """The same for a request that repeats a run."""
        return self._replace(settings=self.settings.with_record(values, origin))


class Observation(NamedTuple):
    """What is recorded of a command while it runs, if that was asked for."""

    timestamps: bool
    """Whether each line of its log begins with the time."""
    sampling: Sampling | None = None
    """How the use of the machine is sampled."""
    exported: Mapping[str, str] = {}
    """The variables by which the command knows of it."""


def observation_of(context: Context, backend: str) -> Observation:
    """What the settings ask for; RequestError where that cannot be."""
    timestamps = context.settings.enabled("timestamps")
    asked = context.settings.get("system-metrics")
    if asked is None or not context.settings.is_true(asked):
        return Observation(timestamps)
    if get_backend(backend).capabilities.survives_runner:  # the command may be on another machine
        return Observation(timestamps)
    from projrun.running.during.sampling import sampling_of, variables

    sampling = sampling_of(asked, context.environ, nested=PARENT_RUN_ID in context.environ)
    return Observation(timestamps, sampling, variables() if sampling else {})


def context_of(request: RunRequest, environ: Mapping[str, str]) -> Context:
    """The context of a request in an environment.

    Raises RequestError for an env-file or a config.toml with mistakes, and for folders of another user.
    """
    environ = _with_env_file(environ, request)
    directories = Directories.locate(environ)
    changed = secured(directories)
    given = {name: value for name, value in request.options.items() if isinstance(value, str)}
    context = Context(Settings(given, environ, directories.config), directories, environ, changed)
    return context.with_record(request.recorded, request.record) if request.record else context


def _with_env_file(environ: Mapping[str, str], request: RunRequest) -> dict[str, str]:
    """The environment with an env-file's variables under it: variables already set take precedence, as in uv."""
    file = request.text("env-file")
    if file is None:
        return dict(environ)
    from projrun.running.env_file import read_env_file

    return {**read_env_file(request.caller_directory, file, environ), **environ}
