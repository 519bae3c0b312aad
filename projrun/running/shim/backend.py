"""The backend `projrun` of MLflow (entry point group `mlflow.project_backend`), for `mlflow run -b projrun`.

It is there where projrun is installed beside mlflow, and does what a redirected `mlflow.run` does.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.running.shim.on_path.projrun_mlflow_run.driver import ProjrunSubmittedRun

_KEYS = {
    "ENV_MANAGER": "env_manager",
    "DOCKER_ARGS": "docker_args",
    "STORAGE_DIR": "storage_dir",
    "build_image": "build_image",
    "docker_auth": "docker_auth",
    "SYNCHRONOUS": "synchronous",
}
"""What MLflow puts among the configuration, and its name as an argument of `mlflow.run`."""


class ProjrunBackend:
    """MLflow's AbstractBackend, whose one method this is."""

    def run(
        self,
        project_uri: str,
        entry_point: str,
        params: Mapping[str, object] | None,
        version: str | None,
        backend_config: Mapping[str, object],
        tracking_uri: str,
        experiment_id: str,
    ) -> ProjrunSubmittedRun:
        """Start the run; MLflow's command line, which does not wait for it, gets it when it has ended.

        Raises ExecutionException.
        """
        from projrun.running.shim.on_path.projrun_mlflow_run import driver

        call = {
            "uri": project_uri,
            "entry_point": entry_point,
            "parameters": params,
            "version": version,
            "experiment_id": experiment_id,
            "backend_config": {key: value for key, value in backend_config.items() if key not in _KEYS},
            **{name: backend_config.get(key) for key, name in _KEYS.items()},
        }
        submitted = driver.submit(call, sys.executable, tracking_uri)
        if _is_command_line():
            driver.finish(submitted)
        return submitted


def _is_command_line() -> bool:
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_globals.get("__name__") == "mlflow.cli":
            return True
    return False
