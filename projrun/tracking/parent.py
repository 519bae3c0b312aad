"""The parent of a nested run (MLPROJECT.md: never `MLFLOW_RUN_ID`, which the mlflow client deletes)."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def parent_run_id(environ: Mapping[str, str]) -> str | None:
    """The active run of an mlflow that this process has imported, else the run that this process belongs to."""
    mlflow = sys.modules.get("mlflow")
    active_run = getattr(mlflow, "active_run", None)
    if active_run is not None:
        run = active_run()
        if run is not None:
            return str(run.info.run_id)
    return environ.get("PROJRUN_PARENT_RUN_ID") or None
