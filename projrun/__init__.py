"""projrun runs MLproject projects: ``projrun.run(".", "main", parameters={"alpha": 0.42})``."""

from __future__ import annotations

from projrun.version import __version__

TYPE_CHECKING = False  # as in `typing`, whose import would take longer than `projrun version`
if TYPE_CHECKING:
    from typing import Any

    from projrun.api import ArtifactFile as ArtifactFile
    from projrun.api import ArtifactFiles as ArtifactFiles
    from projrun.api import MetricPoint as MetricPoint
    from projrun.api import MetricPoints as MetricPoints
    from projrun.api import RunFailedError as RunFailedError
    from projrun.api import RunRecord as RunRecord
    from projrun.api import RunRecords as RunRecords
    from projrun.api import SubmittedRun as SubmittedRun
    from projrun.api import artifacts as artifacts
    from projrun.api import get_run as get_run
    from projrun.api import metric_history as metric_history
    from projrun.api import rerun as rerun
    from projrun.api import run as run
    from projrun.api import search_runs as search_runs
    from projrun.errors import EnvironmentBuildError as EnvironmentBuildError
    from projrun.errors import PluginError as PluginError
    from projrun.errors import ProjrunError as ProjrunError
    from projrun.errors import RequestError as RequestError
    from projrun.errors import SourceError as SourceError
    from projrun.errors import TrackingError as TrackingError

__all__ = [
    "ArtifactFile",
    "ArtifactFiles",
    "EnvironmentBuildError",
    "MetricPoint",
    "MetricPoints",
    "PluginError",
    "ProjrunError",
    "RequestError",
    "RunFailedError",
    "RunRecord",
    "RunRecords",
    "SourceError",
    "SubmittedRun",
    "TrackingError",
    "__version__",
    "artifacts",
    "get_run",
    "metric_history",
    "rerun",
    "run",
    "search_runs",
]

_IN_ERRORS = (
    "EnvironmentBuildError",
    "PluginError",
    "ProjrunError",
    "RequestError",
    "SourceError",
    "TrackingError",
)


def __getattr__(name: str) -> Any:
    """Import the public API on first use (PEP 562), so that the command line pays nothing for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("projrun.errors" if name in _IN_ERRORS else "projrun.api"), name)


def __dir__() -> list[str]:
    """What to complete: the public API, imported or not."""
    return sorted((*__all__, "log"))
