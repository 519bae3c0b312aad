"""The words of MLflow's API for the states of runs and experiments."""

from __future__ import annotations

from typing import Literal

RunStatus = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
LifecycleStage = Literal["active", "deleted"]
LoggedModelStatus = Literal["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]
ViewType = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]
