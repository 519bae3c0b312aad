"""projrun runs MLproject projects: ``projrun.run(".", "main", parameters={"alpha": 0.42})``."""

from __future__ import annotations

from projrun.version import __version__

TYPE_CHECKING = False  # as in `typing`, whose import would take longer than `projrun version`
if TYPE_CHECKING:
    from typing import Any

    from projrun.api import RunFailedError as RunFailedError
    from projrun.api import SubmittedRun as SubmittedRun
    from projrun.api import rerun as rerun
    from projrun.api import run as run
    from projrun.errors import EnvironmentBuildError as EnvironmentBuildError
    from projrun.errors import PluginError as PluginError
    from projrun.errors import ProjrunError as ProjrunError
    from projrun.errors import RequestError as RequestError
    from projrun.errors import SourceError as SourceError
    from projrun.errors import TrackingError as TrackingError

__all__ = [
    "EnvironmentBuildError",
    "PluginError",
    "ProjrunError",
    "RequestError",
    "RunFailedError",
    "SourceError",
    "SubmittedRun",
    "TrackingError",
    "__version__",
    "rerun",
    "run",
]

_IN_API = ("RunFailedError", "SubmittedRun", "rerun", "run")


def __getattr__(name: str) -> Any:
    """Import the public API on first use (PEP 562), so that the command line pays nothing for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("projrun.api" if name in _IN_API else "projrun.errors"), name)


def __dir__() -> list[str]:
    """What to complete: the public API, imported or not."""
    return sorted({*globals(), *__all__})
