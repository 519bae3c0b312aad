"""The lock of a conda environment: conda's own explicit format, with what pip installed in comments.

    # platform: linux-64
    @EXPLICIT
    https://conda.anaconda.org/conda-forge/linux-64/python-3.11.7-hab00c5b_1_cpython.conda#sha256:…
    # pip sprocket==1.0

conda, mamba and micromamba take such a file too (`create --file`), without its pip lines. It holds no credentials.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from projrun.credentials import without_credentials
from projrun.errors import RequestError
from projrun.project.text import read_text
from projrun_backends.environments.python.requirements import Line

NAME = "conda.lock.txt"

_TITLE = "# A conda environment, locked by projrun; `--locked` builds it again."
_EXPLICIT = "@EXPLICIT"
_PLATFORM = r"#\s*platform:\s*(\S+)"
_PIP = r"#\s*pip\s+(\S.*)"
_PACKAGE = r"(\S+\.(?:conda|tar\.bz2))(?:#(?:sha256:([0-9a-f]{64})|([0-9a-f]{32})))?"


class LockedPackage(NamedTuple):
    """A package file, and the digest that it must have; at most one of them, both empty where none is known."""

    url: str
    sha256: str = ""
    md5: str = ""

    @property
    def digest(self) -> str:
        """As written after the `#` of an explicit line."""
        return f"sha256:{self.sha256}" if self.sha256 else self.md5


class CondaLock(NamedTuple):
    """What the file contains."""

    platform: str
    """As `linux-64`; empty where it does not say."""
    packages: tuple[LockedPackage, ...]
    pip_lines: tuple[Line, ...]
    text: str


def lock_text(prefix: Path, platform: str, pip_lines: Iterable[str]) -> str:
    """The lock of what is installed in `prefix`; `pip_lines` are those that pip added."""
    lines = [_TITLE, f"# platform: {platform}", _EXPLICIT]
    lines += sorted(_explicit(package) for package in installed_packages(prefix))
    lines += [f"# pip {line}" for line in pip_lines]
    return "".join(f"{line}\n" for line in lines)


def installed_packages(prefix: Path) -> Iterator[LockedPackage]:
    """From conda's records; every tool of its family writes them."""
    for record in (prefix / "conda-meta").glob("*.json"):
        content = json.loads(record.read_text(encoding="utf-8"))
        url = _without_secrets(str(content.get("url") or ""))
        yield LockedPackage(url, str(content.get("sha256") or ""), str(content.get("md5") or ""))


def read_lock(file: Path, platform: str) -> CondaLock:
    """Raises RequestError, naming the line, for an invalid lock, and for a lock of another platform."""
    text = read_text(file, str(file))
    if _EXPLICIT not in text.splitlines():
        raise RequestError(
            f"--locked: {file} is not a lock of a conda environment",
            hint=f"projrun records one with every run, as environment/{NAME}; `conda list --explicit --md5` writes one",
        )
    found = CondaLock(
        _locked_platform(text), tuple(_packages(text, file)), tuple(_pip_lines(text, file)), text
    )
    if found.platform and found.platform != platform:
        raise RequestError(
            f"--locked: {file} is a lock for {found.platform}; this is {platform}",
            hint="use one from this platform, or remove --locked",
        )
    return found


def current_platform() -> str:
    """conda's word for this machine."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return "osx-arm64" if machine == "arm64" else "osx-64"
    return f"linux-{'64' if machine in ('x86_64', 'amd64') else machine}"


def _explicit(package: LockedPackage) -> str:
    return f"{package.url}#{package.digest}" if package.digest else package.url


def _locked_platform(text: str) -> str:
    match = re.search(rf"(?m)^{_PLATFORM}\s*$", text)
    return match[1] if match else ""


def _packages(text: str, file: Path) -> Iterator[LockedPackage]:
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#") or bare == _EXPLICIT:
            continue
        match = re.fullmatch(_PACKAGE, bare)
        if match is None:
            raise RequestError(
                f"{file}:{number}: {without_credentials(bare)!r} is not the address of a conda package",
                hint="a line is the URL of a .conda or .tar.bz2 file, with #sha256:DIGEST or #MD5",
            )
        yield LockedPackage(match[1], match[2] or "", match[3] or "")


def _pip_lines(text: str, file: Path) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), 1):
        match = re.fullmatch(_PIP, line.strip())
        if match:
            yield Line(match[1], f"{file}:{number}")


def _without_secrets(url: str) -> str:
    return re.sub(r"/t/[^/]+/", "/", re.sub(r"://[^/@]*@", "://", url))
