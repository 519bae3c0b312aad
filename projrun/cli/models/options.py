"""The options that commands about one model have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from projrun.cli.options import click_option
from projrun.settings.options import OPTIONS, options_of

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_TRUST = click.option(
    "--trust",
    is_flag=True,
    help="Use a model from elsewhere without asking: loading it, or building its environment, runs its code.",
)


_URI = (
    "Folder, runs:/ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID, s3://..., "
    "or an archive's address."
)


def model_uri(command: Decorated) -> Decorated:
    """`-m URI`, as in MLflow."""
    return click.option("-m", "--model-uri", "uri", metavar="URI", required=True, help=_URI)(command)


def environment_of_model(command: Decorated) -> Decorated:
    """Which model, and how its environment is built."""
    return model_uri(_environment(command))


def environment_of_models(command: Decorated) -> Decorated:
    """Which models, and how the environment of each is built."""
    return click.option(
        "-m", "--model-uri", "uris", metavar="[NAME=]URI", required=True, multiple=True,
        help=f"{_URI} Give it several times to serve several models, each at /models/NAME.",
    )(_environment(command))  # fmt: skip


def _environment(command: Decorated) -> Decorated:
    for option in reversed(options_of("model")):
        command = click_option(option, "model")(command)
    return command


def source_of_model(command: Decorated) -> Decorated:
    """Which model, where only its files are read."""
    for name in reversed(("offline", "tracking-uri", "json")):
        command = click_option(OPTIONS[name], "model")(command)
    return model_uri(command)


def trusting(command: Decorated) -> Decorated:
    """`--trust`, for commands that load the model."""
    return _TRUST(command)
