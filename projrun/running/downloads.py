"""The downloads of a run's `path` parameters: made before its environment, removed at its end."""

from __future__ import annotations

from pathlib import Path

from projrun.cache.locked_folders import hold, remove_held
from projrun.credentials import redact_uri
from projrun.running.plan import Plan
from projrun.running.session import Session
from projrun.tracking.artifacts.download import download_uri


def download_parameters(session: Session) -> None:
    """Download each; while this process lives, `projrun cache prune` leaves their folder alone."""
    plan = session.plan
    if not plan.keep_storage:
        hold(plan.storage_directory)
    for parameter in plan.invocation.parameters:
        if parameter.download is not None:
            with session.reporter.activity(f"downloading {redact_uri(parameter.download)}"):
                download_uri(parameter.download, Path(parameter.value), session.store, plan.environ)


def remove_downloads(plan: Plan) -> None:
    """Remove them, unless the user named their folder."""
    if not plan.keep_storage:
        remove_held(plan.storage_directory)
