"""What the environment says, and what is said to people."""

from __future__ import annotations

import os
import sys
from functools import wraps
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Recording = TypeVar("Recording", bound=Callable[..., Any])

_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
_MOST = 1000
"""Warnings of a process."""
_said: set[tuple[str, str]] = set()


def is_silent() -> bool:
    """Of the processes of one training, the first one records; `PROJRUN_LOG_RANKS=all` lets all of them."""
    if os.environ.get("PROJRUN_LOG") == "off":
        return True
    rank = next((os.environ[name] for name in _RANKS if name in os.environ), "0")
    return rank != "0" and os.environ.get("PROJRUN_LOG_RANKS") != "all"


def never_raises(function: Recording) -> Recording:
    """Training goes on, whatever goes wrong in a call that records: it is said."""

    @wraps(function)
    def recording(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            not_logged(function.__name__, error)
            return None

    return recording  # type: ignore[return-value]  # of the same signature


def not_logged(about: str, error: Exception) -> None:
    """Say it."""
    warn(about, f"not logged: {type(error).__name__}: {error}")


def module(name: str) -> Any:
    """A module that is imported when it is needed; importlib itself takes longer to import than most of this."""
    __import__(name)
    return sys.modules[name]


def deadline() -> float:
    """Seconds that a caller waits for the server at most."""
    try:
        return float(os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", "60"))
    except ValueError:
        return 60.0


def now() -> int:
    """The time in ms since 1970."""
    return int(time() * 1000)


def warn(about: str, text: str) -> None:
    """Say it once: a loop would say it a thousand times."""
    if (about, text) not in _said and len(_said) < _MOST:
        _said.add((about, text))
        try:
            sys.stderr.write(f"projrun.log: {visible(about)}: {visible(text)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # closed
            pass


def visible(text: str) -> str:
    """Without what a terminal would obey: a server says it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def home() -> str:
    """The data folder of projrun."""
    chosen = os.environ.get("PROJRUN_HOME")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support/projrun")
    data = os.environ.get("XDG_DATA_HOME", "")
    return os.path.join(data if data.startswith("/") else os.path.expanduser("~/.local/share"), "projrun")


def without_password(uri: str) -> str:
    """For people."""
    head, slashes, rest = uri.partition("://")
    return f"{head}{slashes}{rest.rpartition('@')[2]}" if slashes else uri
