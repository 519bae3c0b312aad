"""projrun runs MLproject projects: ``projrun.run(".", "main", parameters={"alpha": 0.42})``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projrun.version import __version__

if TYPE_CHECKING:
    from projrun.api import SubmittedRun as SubmittedRun
    from projrun.api import rerun as rerun
    from projrun.api import run as run
    from projrun.errors import ProjrunError as ProjrunError

__all__ = ["ProjrunError", "SubmittedRun", "__version__", "rerun", "run"]

_HOMES = {
    "run": "projrun.api",
    "rerun": "projrun.api",
    "SubmittedRun": "projrun.api",
    "ProjrunError": "projrun.errors",
}


def __getattr__(name: str) -> Any:
    """Import the public API on first use (PEP 562), so that the command line pays nothing for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
