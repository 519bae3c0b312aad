"""The numbers by which MLflow's own stores keep statuses."""

from __future__ import annotations

from projrun.tracking.statuses import RunStatus

RUN_STATUSES: dict[int, RunStatus] = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
MODEL_STATUSES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}
