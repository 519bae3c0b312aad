"""`projrun models dockerfile` and `projrun models build-image`: a model as an image."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import click

from projrun.bounded import LARGEST_LOCK, read_file
from projrun.cli.models.opening import OpenedModel, check_trust, opened_model
from projrun.cli.models.options import image_of_model, trusting
from projrun.cli.rendering import print_path, print_text
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import RequestError
from projrun.models.images.build import build_image, find_docker, option_word
from projrun.models.images.context import ImageOrder, write_context
from projrun.models.recorded import recorded_environment
from projrun.running.interpreter import builds_folders, locked_python

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


_OPTIONS = (
    click.option(
        "--base-image",
        "base",
        metavar="IMAGE",
        default="",
        help="Image with the model's Python, pip and a shell.  [default: python:VERSION-slim-bookworm]",
    ),
    click.option(
        "--server-image",
        "server_base",
        metavar="IMAGE",
        default="",
        help="Image with a Python in /usr/local for projrun itself, where the model's is older than 3.10.  "
        "[default: python:3.12-slim-bookworm]",
    ),
)


def _image_options(command: Decorated) -> Decorated:
    for option in reversed(_OPTIONS):
        command = option(command)
    return image_of_model(trusting(command))


@click.command("dockerfile")
@_image_options
@click.option(
    "-d",
    "--output-directory",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    default="projrun-dockerfile",
    show_default=True,
    help="New folder for the Dockerfile and what it copies.",
)
def dockerfile(folder: Path, **values: Any) -> None:
    """Write the folder that the image of a model is built from.

    `docker build FOLDER` and other builders make the image of it that `projrun models build-image` makes.

    \b
    projrun models dockerfile -m models:/wine@champion -d wine
    docker build --tag wine wine
    """
    write_context(_order(_opened(values), values), folder, os.environ)
    print_path(folder)


@click.command("build-image")
@_image_options
@click.option(
    "-n", "--name", metavar="NAME", required=True, help="Name of the image: wine, HOST/team/wine:3."
)
@click.option(
    "-A",
    "--docker-args",
    "arguments",
    metavar="NAME=VALUE",
    multiple=True,
    help="`docker build` option or flag: -A network=host, -A no-cache.",
)
def build(name: str, arguments: tuple[str, ...], **values: Any) -> None:
    """Build an image that serves a model on port 8080, with docker.

    projrun and the model's environment are beside each other in it; it runs as a user without rights, and has a health
    check. Index settings in PIP_* and UV_* variables, and proxies, are build arguments that do not come into the image.

    \b
    projrun models build-image -m models:/wine@champion -n wine
    docker run --publish 8080:8080 wine
    """
    docker = find_docker(os.environ)
    order = _order(_opened(values), values)
    with TemporaryDirectory(prefix="projrun-image-") as folder:
        write_context(order, Path(folder), os.environ)
        build_image(docker, Path(folder), name, [option_word(word) for word in arguments], os.environ)
    print_text(name)


def _opened(values: Mapping[str, Any]) -> OpenedModel:
    given = {name: value for name, value in values.items() if name not in ("base", "server_base", "trust")}
    model = opened_model(given, CommandLineReporter())
    check_trust(model, trusted=values["trust"])  # building runs code of the packages that it names
    return model


def _order(model: OpenedModel, values: Mapping[str, Any]) -> ImageOrder:
    settings = model.context.settings
    manager, locked = settings.get("env-manager"), settings.get("locked")
    if manager is not None and not builds_folders(manager.value):
        raise RequestError(
            f"{manager.origin} {manager.value} builds no environment that an image could have",
            hint="choose another --env-manager",
        )
    lock = "" if locked is None else _text(model.request.caller_directory / locked.value)
    return ImageOrder(
        model.files.folder,
        locked_python(lock) or recorded_environment(model.mlmodel, model.files.folder).python,
        values["base"],
        values["server_base"],
        manager.value if manager else "",
        lock,
    )


def _text(lock: Path) -> str:
    try:
        return read_file(lock, LARGEST_LOCK).decode("utf-8", "replace")
    except OSError as error:
        raise RequestError(f"--locked: {lock} cannot be read: {error.strerror}") from None
