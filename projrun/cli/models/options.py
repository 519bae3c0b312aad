"""The options that commands about one model have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from projrun.cli.options import click_option
from projrun.settings.options import OPTIONS, options_of

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Seconds(click.FloatRange):
    """A time: NaN is in no range, and click lets it through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Fails for what is not finite."""
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds


MODEL_URI = "PROJRUN_MODEL_URI"
"""The variable that names the model, as in an image that has one."""

_TRUST = click.option(
    "--trust",
    is_flag=True,
    help="Use a model from elsewhere without asking: loading it, or building its environment, runs its code.",
)


_URI = (
    "Folder, runs:/ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID, s3://..., "
    "or an archive's address."
)

RECORDED = "\0"
"""The value of `--locked` without a file."""

# Without a file it is the one of the model's run.
_LOCKED = click.option(
    "--locked",
    is_flag=False,
    flag_value=RECORDED,
    metavar="[FILE]",
    help="Build exactly the environment of the lock that the model's run recorded, or of another lock's FILE.",
)


def model_uri(command: Decorated) -> Decorated:
    """`-m URI`, as in MLflow."""
    return click.option(
        "-m",
        "--model-uri",
        "uri",
        metavar="URI",
        required=True,
        envvar=MODEL_URI,
        show_envvar=True,
        help=_URI,
    )(command)


def environment_of_model(command: Decorated) -> Decorated:
    """Which model, and how its environment is built."""
    return model_uri(_environment(command))


class _WholeVariable(click.types.StringParamType):
    """The variable names one model: its address may have spaces."""

    envvar_list_splitter = "\0"


def environment_of_models(command: Decorated) -> Decorated:
    """Which models, and how the environment of each is built."""
    return click.option(
        "-m", "--model-uri", "uris", metavar="[NAME=]URI", type=_WholeVariable(), required=True,
        multiple=True, envvar=MODEL_URI, show_envvar=True,
        help=f"{_URI} Give it several times to serve several models, each at /models/NAME.",
    )(_environment(command))  # fmt: skip


def image_of_model(command: Decorated) -> Decorated:
    """Which model, and how its environment is built elsewhere."""
    return model_uri(
        _environment(command, frozenset({"offline", "env-manager", "locked", "tracking-uri", "env-file"}))
    )


def _environment(command: Decorated, names: frozenset[str] | None = None) -> Decorated:
    for option in reversed(options_of("model")):
        if names is not None and option.name not in names:
            continue
        command = (_LOCKED if option.name == "locked" else click_option(option, "model"))(command)
    return command


def source_of_model(command: Decorated) -> Decorated:
    """Which model, where only its files are read."""
    for name in reversed(("offline", "tracking-uri", "json")):
        command = click_option(OPTIONS[name], "model")(command)
    return model_uri(command)


def trusting(command: Decorated) -> Decorated:
    """`--trust`, for commands that load the model."""
    return _TRUST(command)
