"""What is remembered of a remote archive: the content that it had, and how to ask whether it changed since."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

from projrun.cache.private_files import replace_private


class Known(NamedTuple):
    """An archive as it was fetched last."""

    digest: str
    """The SHA-256 of its content."""
    etag: str = ""
    last_modified: str = ""
    place: str = ""
    """The fingerprint of the address that `etag` and `last_modified` are of: where redirects led to."""


def fingerprint(uri: str) -> str:
    """Replaces a URI where the URI itself, which may contain a secret, must not appear."""
    return hashlib.sha256(uri.encode("utf-8", "surrogateescape")).hexdigest()


def recall(file: Path) -> Known | None:
    """What was remembered; None if there is nothing valid."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        known = Known(**values)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = all(isinstance(value, str) for value in known)
    return known if texts and re.fullmatch("[0-9a-f]{64}", known.digest) else None


def remember(file: Path, known: Known) -> None:
    """Replace what was remembered, whole or not at all. Raises OSError."""
    replace_private(file, json.dumps(known._asdict()).encode())
