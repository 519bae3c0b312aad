"""What the mlflow imported by the calling process knows: the parent of a nested run, the tracking store.

Never `MLFLOW_RUN_ID`, which the mlflow client deletes from its own environment (docs/mlproject.md).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

PARENT_RUN_ID = "PROJRUN_PARENT_RUN_ID"


ENDPOINT_STORE = "PROJRUN_ENDPOINT_STORE"


def records_elsewhere(environ: Mapping[str, str], tracking_uri: str) -> bool:
    """Whether a nested run records in another store than its parent: ids mean nothing there."""
    parents = (environ.get("MLFLOW_TRACKING_URI"), environ.get(ENDPOINT_STORE))
    return bool(environ.get(PARENT_RUN_ID) and parents[0]) and tracking_uri not in parents


def parent_run_id(environ: Mapping[str, str]) -> str | None:
    """The active run of the imported mlflow, else the run that this process belongs to."""
    active_run = getattr(sys.modules.get("mlflow"), "active_run", None)
    if active_run is not None:
        run = active_run()
        if run is not None:
            return str(run.info.run_id)
    return environ.get(PARENT_RUN_ID) or None


def imported_tracking_uri() -> str | None:
    """What `mlflow.set_tracking_uri` was given in this process, where it was."""
    mlflow = sys.modules.get("mlflow")
    is_set = getattr(mlflow, "is_tracking_uri_set", None)
    if mlflow is None or is_set is None or not is_set():
        return None
    return str(mlflow.get_tracking_uri())
