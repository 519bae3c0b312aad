"""Record runs with nothing but Python's standard library: the calls of MLflow's fluent API that training scripts make.

    import projrun.log as mlflow

    with mlflow.start_run(run_name="first"):
        mlflow.log_param("alpha", 0.5)
        mlflow.log_metric("rmse", 0.71, step=1)

A call puts its values into a queue, and a thread sends them, twice a second, to the server that `MLFLOW_TRACKING_URI`
names; without one, to projrun's own store. What cannot be recorded is said on standard error and never raised; while a
server is away, values wait in a file, which `projrun sync` delivers.

This folder imports nothing of projrun: it may be copied into a project.
"""

from __future__ import annotations

from .artifacts import log_artifact, log_artifacts, log_dict, log_figure, log_text
from .entities import Experiment, Run, RunData, RunInfo
from .errors import LogError
from .images import log_image, log_table
from .machine import (
    disable_system_metrics_logging,
    enable_system_metrics_logging,
    set_system_metrics_node_id,
    set_system_metrics_samples_before_logging,
    set_system_metrics_sampling_interval,
)
from .questions import (
    create_experiment,
    get_experiment,
    get_experiment_by_name,
    get_run,
    search_runs,
    set_experiment,
    set_experiment_tag,
)
from .runs import (
    active_run,
    delete_tag,
    end_run,
    get_artifact_uri,
    get_tracking_uri,
    log_input,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    set_tag,
    set_tags,
    set_tracking_uri,
    start_run,
)
from .sender import flush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = [
    "Experiment",
    "LogError",
    "Run",
    "RunData",
    "RunInfo",
    "active_run",
    "create_experiment",
    "delete_tag",
    "disable_system_metrics_logging",
    "enable_system_metrics_logging",
    "end_run",
    "flush",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_run",
    "get_tracking_uri",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
]


def __getattr__(name: str) -> NoReturn:
    # Never a second client in silence: what it would record could go elsewhere.
    raise AttributeError(f"projrun.log has no {name!r}; `import mlflow` has, and records to the same server")
