"""An archive's SHA-256: what `--version sha256:HASH` pins, and the key of the cache."""

from __future__ import annotations

import hashlib
import re
from typing import BinaryIO

from projrun.errors import RequestError, SourceError

_PINNED = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)
_CHUNK = 1024 * 1024


def parse_digest(version: str) -> str:
    """The hash of `sha256:HASH`, lower-case. Raises RequestError for any other version: archives have no branches."""
    match = _PINNED.fullmatch(version)
    if match is None:
        raise RequestError(
            f"--version {version!r} is not the hash of an archive",
            hint="an archive's version is sha256: and 64 hexadecimal digits (see `sha256sum FILE`)",
        )
    return match[1].lower()


def digest_of(file: BinaryIO) -> str:
    """The SHA-256 of a file from its current position to its end."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def check_digest(found: str, wanted: str | None, shown: str) -> None:
    """Raises SourceError if an archive is not the requested one."""
    if wanted not in (None, found):
        raise SourceError(
            f"{shown} is not the requested archive: it has sha256:{found}, not sha256:{wanted}",
            hint="the archive changed, or the hash is of another one",
        )
