"""Paths of artifacts in requests: what MLflow's server refuses is refused here, with its words."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from projrun.errors import InvalidValueError
from projrun.tracking.artifacts.paths import checked_path

_MOST_DECODINGS = 10


def safe_path(path: str) -> str:
    """A path that leads nowhere else, encoded as often as may be; the name itself stays as it was sent.

    Raises InvalidValueError. MLflow's `validate_path_is_safe` refuses the same, and `#`, which may be in a name here.
    """
    encoded = path
    for _ in range(_MOST_DECODINGS):
        _check(encoded)
        decoded = unquote(encoded)
        if decoded == encoded:
            return path
        encoded = decoded
    raise _refusal()


def _check(path: str) -> None:
    leads_out = PureWindowsPath(path).is_absolute() or PurePosixPath(path).is_absolute()
    if leads_out or path.lower().startswith("file:"):
        raise _refusal()
    try:
        checked_path(path)
    except InvalidValueError:
        raise _refusal() from None


def _refusal() -> InvalidValueError:
    return InvalidValueError("Invalid path")
