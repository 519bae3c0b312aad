"""Building a model's image with the program docker."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from projrun.errors import EnvironmentBuildError, RequestError
from projrun.models.images.dockerfile import INDEX_VARIABLES, PROXY_VARIABLES


def find_docker(environ: Mapping[str, str]) -> str:
    """The program. Raises EnvironmentBuildError where it is not installed."""
    found = shutil.which("docker", path=environ.get("PATH", ""))
    if found is None:
        raise EnvironmentBuildError(
            "docker is not installed: no such program on PATH",
            hint="`projrun models dockerfile` writes the folder for another machine or builder",
        )
    return found


def build_image(
    docker: str, folder: Path, name: str, options: Sequence[str], environ: Mapping[str, str]
) -> None:
    """Build the folder's Dockerfile; what is built is said on stderr. Raises EnvironmentBuildError where it fails.

    The settings of package indexes reach the first stage by name: no value is on the command line or in the image.
    """
    given = [name for name in (*INDEX_VARIABLES, *PROXY_VARIABLES) if environ.get(name)]
    arguments = [word for name in given for word in ("--build-arg", name)]
    words = [docker, "build", "--tag", name, *arguments, *options, str(folder)]
    done = subprocess.run(words, env=environ, stdin=subprocess.DEVNULL, stdout=2, check=False)
    if done.returncode != 0:
        raise EnvironmentBuildError(
            f"the image {name} could not be built: docker ended with {done.returncode}",
            hint="its own output is above; `projrun models dockerfile` writes the folder that it is built from",
        )


def option_word(given: str) -> str:
    """`network=host` as `docker build` takes it. Raises RequestError for what is no option."""
    name, equals, value = given.partition("=")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise RequestError(
            f"-A {given!r} is not an option of `docker build`",
            hint="-A NAME=VALUE or -A FLAG, without dashes",
        )
    dashes = "-" if len(name) == 1 else "--"
    return f"{dashes}{name}{equals}{value}"
