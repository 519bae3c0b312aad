"""The options of `run`, `plan` and `rerun`, declared once: MLflow's names and short forms, then ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from projrun.directories import Directories
from projrun.environments.protocol import ContainerOptions
from projrun.project.binding import GivenValue
from projrun.running.plan import SUBMITTED_URI, Request
from projrun.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

tracking_uri_option = click.option(
    "--tracking-uri",
    metavar="URI",
    help="Where runs are recorded: an MLflow-compatible server's http(s) address or sqlite:///FILE.  "
    "[$MLFLOW_TRACKING_URI; default: the embedded store]",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, the rest on stderr."
)

_uri_argument = click.argument("uri", metavar="URI")
_version_option = click.option(
    "-v",
    "--version",
    metavar="REF",
    help="Branch, tag or commit of a git project, or an archive's sha256:HASH.",
)
_env_file_option = click.option(
    "--env-file",
    metavar="FILE",
    help="Variables (NAME=VALUE lines) for projrun and the command; variables already set take precedence.",
)
_offline_option = click.option(
    "--offline",
    is_flag=True,
    help="Use only cached sources; contact no server for them.  [$PROJRUN_OFFLINE]",
)


def _env_manager_option(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--env-manager",
        metavar="NAME",
        help=f"local (build nothing), virtualenv, uv, conda or docker.  [{default}]",
    )


def _experiment_and_backend(name: str, identifier: str, backend: str) -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--experiment-name",
            metavar="NAME",
            help=f"Experiment name; created if it does not exist.  [{name}]",
        ),
        click.option("--experiment-id", metavar="ID", help=f"Experiment id.  [{identifier}]"),
        click.option("-b", "--backend", metavar="NAME", help=f"Execution backend.  [{backend}]"),
        click.option(
            "-c",
            "--backend-config",
            metavar="FILE",
            help="JSON for the backend: a .json file or a JSON object.",
        ),
    )


_chosen_manager = _env_manager_option("$PROJRUN_ENV_MANAGER; default: what the project asks for")
# For `rerun` the record decides these: variables and settings do not apply.
_DECISIONS = (
    *_experiment_and_backend(
        "$MLFLOW_EXPERIMENT_NAME",
        "$MLFLOW_EXPERIMENT_ID; default: 0",
        "$PROJRUN_BACKEND; default: local",
    ),
    _chosen_manager,
)
_RECORDED_DECISIONS = (
    *_experiment_and_backend(*["default: recorded value"] * 3),
    _env_manager_option("default: recorded value"),
)
_ENVIRONMENT_CHOICES = (
    click.option(
        "--env",
        metavar="PATH",
        help="Run in this existing virtual environment or conda prefix; build nothing.  [$PROJRUN_ENV]",
    ),
    click.option(
        "--locked",
        metavar="FILE",
        help="Build exactly the environment of a lock that a run recorded: environment/requirements.lock.txt, "
        "conda.lock.txt or image.lock.txt.",
    ),
    click.option(
        "--python-downloads",
        metavar="WHEN",
        help="automatic or never: whether uv may download a Python that is not installed.  "
        "[$PROJRUN_PYTHON_DOWNLOADS, $UV_PYTHON_DOWNLOADS; default: never]",
    ),
    click.option(
        "--conda-exe",
        metavar="PROGRAM",
        help="Program that builds conda environments: conda, mamba, micromamba, or rattler for py-rattler.  "
        "[$PROJRUN_CONDA_EXE, $MLFLOW_CONDA_HOME, $CONDA_EXE; default: py-rattler]",
    ),
)

_PARAMETER_OPTIONS = (
    _offline_option,
    click.option(
        "--keep-workdir",
        is_flag=True,
        help="Keep the run's own copy of a fetched project; otherwise deleted after a successful run that left no new "
        "files.  [$PROJRUN_KEEP_WORKDIR]",
    ),
    click.option(
        "-P",
        "--param-list",
        "parameters",
        metavar="NAME=VALUE",
        multiple=True,
        help="Parameter; if the entry point does not declare it, appended to the command as --NAME VALUE.",
    ),
    click.option(
        "--params-file", metavar="FILE", help="Parameters from a YAML or JSON mapping; -P takes precedence."
    ),
    click.option(
        "--strict",
        is_flag=True,
        help="Refuse parameters that the entry point does not declare.  [$PROJRUN_STRICT]",
    ),
    click.option(
        "-A",
        "--docker-args",
        metavar="NAME=VALUE",
        multiple=True,
        help="`docker run` option or flag for Docker projects: -A gpus=all, -A t.",
    ),
)

_RUN_OPTIONS = (
    *_ENVIRONMENT_CHOICES,
    click.option("--rebuild-env", is_flag=True, help="Build the environment even if it is cached."),
    click.option(
        "--storage-dir",
        metavar="DIR",
        help="Folder to download `path` parameters to; kept.  [$PROJRUN_STORAGE_DIR; default: removed after the run]",
    ),
    click.option("--run-name", metavar="NAME", help="Run name.  [default: generated]"),
    click.option(
        "--build-image", is_flag=True, help="Docker projects: build an image with the code copied in."
    ),
    click.option(
        "--pass-credentials",
        is_flag=True,
        help="Docker projects: pass your credentials for AWS, Google Cloud and Azure to the container.",
    ),
    tracking_uri_option,
    click.option(
        "--grace-period",
        metavar="SECONDS",
        help="Time between SIGTERM and SIGKILL for a command that is being stopped.  "
        "[$PROJRUN_GRACE_PERIOD; default: 10]",
    ),
    _env_file_option,
    json_option,
    click.option("-q", "--quiet", is_flag=True, help="Print only warnings and errors.  [$PROJRUN_QUIET]"),
)

_PROJECT_OPTIONS = (
    _uri_argument,
    click.option(
        "-e",
        "--entry-point",
        metavar="NAME",
        default="main",
        show_default=True,
        help="Entry point, or a .py, .sh or .R script of the project.",
    ),
    _version_option,
    click.option(
        "--require-clean",
        is_flag=True,
        help="Refuse a project with uncommitted changes.  [$PROJRUN_REQUIRE_CLEAN]",
    ),
    click.option("--run-id", metavar="ID", help="Record into this existing run instead of a new one."),
    *_PARAMETER_OPTIONS,
    *_DECISIONS,
    *_RUN_OPTIONS,
)

_REPETITION_OPTIONS = (
    click.argument("repeated", metavar="RUN_ID"),
    click.option("-e", "--entry-point", metavar="NAME", help="Entry point.  [default: recorded value]"),
    click.option(
        "--source",
        metavar="URI",
        help="New location of a project that moved; the recorded commit or archive is fetched from there.",
    ),
    click.option("--without-patch", is_flag=True, help="Do not apply the recorded uncommitted changes."),
    click.option(
        "--unlocked",
        is_flag=True,
        help="Build the environment from the project's file, not from the recorded lock.",
    ),
    click.option(
        "--changed-source",
        is_flag=True,
        help="Run a plain folder even if its files have changed.",
    ),
    *_PARAMETER_OPTIONS,
    *_RECORDED_DECISIONS,
    *_RUN_OPTIONS,
)

_ENVIRONMENT_OPTIONS = (
    _uri_argument,
    _version_option,
    _offline_option,
    _chosen_manager,
    *_ENVIRONMENT_CHOICES,
    _env_file_option,
)
_FLAGS = ("strict", "quiet", "offline", "require-clean", "keep-workdir")
_ENVIRONMENT_SETTINGS = ("env-manager", "env", "locked", "python-downloads", "conda-exe")
_SETTINGS = (
    *_ENVIRONMENT_SETTINGS,
    "tracking-uri",
    "experiment-name",
    "experiment-id",
    "backend",
    "backend-config",
    "storage-dir",
    "run-id",
    "run-name",
    "grace-period",
)


def project_options(command: Command) -> Command:
    """Decorate a command with all of them."""
    return _decorated(command, _PROJECT_OPTIONS)


def repetition_options(command: Command) -> Command:
    """Decorate a command with the options of `rerun`."""
    return _decorated(command, _REPETITION_OPTIONS)


def environment_options(command: Command) -> Command:
    """Decorate a command with those that decide which environment a project runs in."""
    return _decorated(command, _ENVIRONMENT_OPTIONS)


def _decorated(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def build_request(values: Mapping[str, Any]) -> Request:
    """From click's values to the request; RequestError for what cannot be read."""
    return _request(values, {**_options(values, _SETTINGS), **_flags(values, _FLAGS)})._replace(
        entry_point=values["entry_point"],
        parameters=_parameters(values["parameters"], values["params_file"]),
        rebuild_environment=values["rebuild_env"],
        container=_container_options(values),
    )


def _container_options(values: Mapping[str, Any]) -> ContainerOptions:
    handed_over = os.environ.get("PROJRUN_CONTAINER_OPTIONS")
    if handed_over:
        from projrun.environments.container_options import from_variable

        return from_variable(handed_over)
    return ContainerOptions(
        tuple(values["docker_args"]), values["build_image"], pass_credentials=values["pass_credentials"]
    )


def build_environment_request(values: Mapping[str, Any]) -> Request:
    """The same from the values of `environment_options`."""
    return _request(values, {**_options(values, _ENVIRONMENT_SETTINGS), **_flags(values, ("offline",))})


def _flags(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, str | None]:
    return {name: "1" if values[name.replace("-", "_")] else None for name in names}


def _options(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, str | None]:
    return {name: values[name.replace("-", "_")] for name in names}


def _request(values: Mapping[str, Any], options: Mapping[str, str | None]) -> Request:
    environ = with_env_file(os.environ, values["env_file"])
    directories = Directories.locate(environ)
    handed_over = environ.pop(SUBMITTED_URI, None)  # which no other process is to see
    return Request(
        uri=handed_over or values["uri"],
        settings=Settings(options, environ, directories.config),
        directories=directories,
        environ=environ,
        caller_directory=Path.cwd(),
        version=values["version"],
    )


def _parameters(assignments: tuple[str, ...], file: str | None) -> dict[str, GivenValue]:
    from projrun.project.parameters_file import parse_assignments, read_parameters_file

    given: dict[str, GivenValue] = {}
    if file is not None:
        given = {
            name: GivenValue(text, "parameters file")
            for name, text in read_parameters_file(Path(file)).items()
        }
    typed = parse_assignments(assignments)
    return {**given, **{name: GivenValue(text, "command line") for name, text in typed.items()}}


def with_env_file(environ: Mapping[str, str], file: str | None) -> dict[str, str]:
    """The environment with an env-file's variables under it: variables already set take precedence, as in uv."""
    if file is None:
        return dict(environ)
    from dotenv import dotenv_values

    from projrun.errors import RequestError

    try:
        with Path(file).open(encoding="utf-8") as stream:
            values = dotenv_values(stream=stream)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RequestError(f"--env-file: {file}: {reason}", hint="give a file of NAME=VALUE lines") from None
    return {**{name: value for name, value in values.items() if value is not None}, **environ}
