"""The folder that a model's image is built from: the Dockerfile, the model, projrun's wheel."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from errno import EDQUOT, ENOSPC
from importlib.metadata import metadata
from pathlib import Path
from typing import NamedTuple

from projrun.errors import RequestError
from projrun.models.images.dockerfile import Recipe, dockerfile
from projrun.models.images.wheel import write_wheel
from projrun.plugins import built_ins

_OLDEST = (3, 10)
"""The oldest Python that projrun itself runs in."""
_SERVER = "3.12"
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_LOCK = "environment.lock.txt"


class ImageOrder(NamedTuple):
    """What an image is made of."""

    model: Path
    """The model's folder."""
    python: str
    """The version that the model asks for; empty where it does not matter."""
    base: str = ""
    """The image with that Python; empty for the official one."""
    server_base: str = ""
    """The image with a Python for projrun itself, where the model's is too old."""
    manager: str = ""
    """What builds the environment; empty for the default."""
    lock: str = ""
    """The text of the lock to build from."""


def write_context(order: ImageOrder, folder: Path, environ: Mapping[str, str]) -> None:
    """Write it into an empty folder. Raises RequestError for one that cannot be written or is not empty."""
    if folder.resolve().is_relative_to(order.model.resolve()):
        raise RequestError(
            f"{folder} is in the model's folder, which is copied", hint="name one elsewhere: -d FOLDER"
        )
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RequestError(f"{folder} is not empty", hint="name a new folder")
        try:
            _write(order, folder, environ)
        except BaseException:
            _clear(folder)
            if is_new:
                folder.rmdir()
            raise
    except OSError as error:
        # A copy that finds the disk full names the file that it reads.
        place = folder if error.errno in (ENOSPC, EDQUOT) else error.filename or folder
        raise RequestError(f"{place} cannot be used: {error.strerror or error}") from error


def _write(order: ImageOrder, folder: Path, environ: Mapping[str, str]) -> None:
    build = folder / "build"
    build.mkdir(mode=0o755)
    copy_model(order.model, folder / "model")
    has_certificates = _copy_certificates(build, environ)
    options = ["--env-manager", order.manager] if order.manager else []
    if order.lock:
        (build / _LOCK).write_text(order.lock, encoding="utf-8")
        options += ["--locked", f"/tmp/build/{_LOCK}"]  # noqa: S108 - in the image
    recipe = Recipe(*_bases(order), write_wheel(build).name, _extras(order), tuple(options), has_certificates)
    (folder / "Dockerfile").write_text(dockerfile(recipe), encoding="utf-8")


def _clear(folder: Path) -> None:
    """Half of it would keep the next try from the folder."""
    for name in ("build", "model"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "Dockerfile").unlink(missing_ok=True)


def copy_model(source: Path, target: Path) -> None:
    """Copy a model's files so that every user of an image can read them. A link may not leave the folder."""
    root = source.resolve()
    target.mkdir(mode=0o755)
    for place, folders, files in os.walk(root):
        to = target / Path(place).relative_to(root)
        for name in [*folders, *files]:
            file = Path(place, name)
            if file.is_symlink():
                _copy_link(file, to / name, root)
            elif name in folders:
                (to / name).mkdir(mode=0o755)
            else:
                _copy(file, to / name)


def _copy_link(link: Path, target: Path, root: Path) -> None:
    led = Path(os.path.realpath(link))
    if not led.is_relative_to(root):
        raise RequestError(
            f"{link} is a link that leaves the model's folder", hint="put the file itself there"
        )
    if led.is_symlink():
        raise RequestError(f"{link} is a link that leads to itself", hint="remove it")
    target.symlink_to(os.path.relpath(led, link.parent.resolve()))


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _copy_certificates(folder: Path, environ: Mapping[str, str]) -> bool:
    """The authorities that this machine trusts, where a variable names them: a proxy may be one."""
    named = next((environ[name] for name in _CERTIFICATES if environ.get(name)), None)
    if named is None or not Path(named).is_file():
        return False
    _copy(Path(named), folder / "ca.pem")
    return True


def _bases(order: ImageOrder) -> tuple[str, str]:
    for name in (order.base, order.server_base):
        if re.search(r"\s", name):
            raise RequestError(f"{name!r} is no image's name: it has spaces")
    found = re.match(r"(\d+)\.(\d+)", order.python)
    major, minor = (int(found[1]), int(found[2])) if found else sys.version_info[:2]
    base = order.base or _official(f"{major}.{minor}")
    return base, (order.server_base or _official(_SERVER)) if (major, minor) < _OLDEST else ""


def _official(minor: str) -> str:
    return f"python:{minor}-slim-bookworm"


def _extras(order: ImageOrder) -> tuple[str, ...]:
    """projrun's extra that the manager needs: those have its name."""
    names = (order.manager,) if order.manager else built_ins().PREFERRED_ENVIRONMENTS
    extras = metadata("projrun").get_all("Provides-Extra") or []
    return tuple(name for name in names if name in extras)[:1]
