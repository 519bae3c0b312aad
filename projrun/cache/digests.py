"""SHA-256 for the hot path, where loading OpenSSL would take longer than the hashing."""

from __future__ import annotations

from collections.abc import Callable

from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

FEW_BYTES = 1024 * 1024


def sha256_for(size: int) -> Callable[..., Any]:
    """For a few bytes Python's own, in a sixth of the time that hashlib takes to load OpenSSL's, which is faster."""
    if size <= FEW_BYTES:
        for module in ("_sha2", "_sha256"):  # Python 3.12, those before
            try:
                own: Callable[..., Any] = __import__(module).sha256
            except ImportError:  # a build without it
                continue
            return own
    from hashlib import sha256

    return sha256
