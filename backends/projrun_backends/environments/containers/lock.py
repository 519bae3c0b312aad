"""`image.lock.txt`: exactly which image a run used, as a text that `--locked` takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from projrun.bounded import read_file
from projrun.errors import RequestError

NAME = "image.lock.txt"

_TITLE = "# A Docker image, locked by projrun; `--locked` runs this one."
_ID = re.compile(r"sha256:[0-9a-f]{64}")
_DIGEST = re.compile(r"[^\s@-][^\s@]*@sha256:[0-9a-f]{64}")
_LINE = re.compile(r"(?:(?P<key>name|id|image|base):\s*)?(?P<value>\S+)")


class ImageLock(NamedTuple):
    """An image by content."""

    name: str
    """For people."""
    id: str = ""
    """What one daemon, and every one that loaded it, knows the image by."""
    image: str = ""
    """Its digest, by which the registry knows it."""
    base: str = ""
    """The digest, else the id, of the image that `--build-image` copied the code over."""

    @property
    def text(self) -> str:
        """The file's text."""
        lines = (f"{key}: {value}" for key, value in self._asdict().items() if value)
        return "".join(f"{line}\n" for line in (_TITLE, *lines))


def read_lock(file: Path) -> ImageLock:
    """Raises RequestError for an invalid lock, with the line."""
    try:
        text = read_file(file).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise RequestError(f"--locked: {file}: {reason}", hint=_hint()) from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        key = (match["key"] or "image") if match else ""
        if match is None or key in found or not _is_valid(key, match["value"]):
            raise RequestError(f"--locked: {file}:{number}: not a lock of a Docker image", hint=_hint())
        found[key] = match["value"]
    if not found.get("id") and not found.get("image"):
        raise RequestError(f"--locked: {file} names no image", hint=_hint())
    return ImageLock(**{"name": found.get("image") or found["id"], **found})


def _is_valid(key: str, value: str) -> bool:
    patterns = {"name": (), "id": (_ID,), "image": (_DIGEST,), "base": (_ID, _DIGEST)}[key]
    return not patterns or any(pattern.fullmatch(value) for pattern in patterns)


def _hint() -> str:
    return f"give the artifact environment/{NAME} of a run, or a line IMAGE@sha256:…"
