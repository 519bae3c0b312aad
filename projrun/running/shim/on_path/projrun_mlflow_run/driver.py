"""What `mlflow.run` does where it is redirected: a `projrun` process, and MLflow's own classes around it."""

import atexit
import contextlib
import logging
import os
import sys

from mlflow.exceptions import ExecutionException
from mlflow.projects.submitted_run import SubmittedRun
from mlflow.tracking import fluent, get_tracking_uri

from .request import RequestFile
from .runner import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from typing import Any

_logger = logging.getLogger("mlflow.projects")


class ProjrunSubmittedRun(SubmittedRun):  # type: ignore[misc]  # MLflow's class is not typed
    """A run in a `projrun` process. This process waits for it at its exit, as MLflow's does."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        atexit.register(self._wait_at_exit)

    @property
    def run_id(self) -> str:
        """The run's id in the tracking store."""
        return str(self._runner.told["run_id"])

    @property
    def command_proc(self) -> "subprocess.Popen[bytes]":
        """The process, as MLflow's local runs have it."""
        return self._runner.process

    @property
    def exit_code(self) -> int:
        """What `projrun run` would have exited with: the command's own code."""
        return self._runner.wait()

    def wait(self) -> bool:
        """Wait for its end; True where it FINISHED."""
        self._runner.wait()
        atexit.unregister(self._wait_at_exit)
        return self.get_status() == "FINISHED"

    def get_status(self) -> str:
        """RUNNING, FINISHED, FAILED or KILLED."""
        code = self._runner.process.poll()
        if code is None:
            return "RUNNING"
        self._runner.wait()
        return str(self._runner.told.get("status") or ("FAILED" if code else "FINISHED"))

    def cancel(self) -> None:
        """End it, and wait for that."""
        if self._runner.process.poll() is None:
            self._runner.process.terminate()
        self.wait()

    def failure(self) -> ExecutionException:
        """The exception for a run that did not finish, with its `run_id` and `exit_code`."""
        reason = self._runner.told.get("reason") or self._runner.told.get("error")
        text = "Run (ID '{}') failed{}".format(self.run_id, ": " + reason if reason else "")
        return _failure(text, self._runner)

    def _wait_at_exit(self) -> None:
        if getattr(sys, "last_type", None) is KeyboardInterrupt:
            self._runner.interrupt()
        with contextlib.suppress(KeyboardInterrupt):  # it has had it, too, and has ended
            self.wait()


def run_call(call: "Mapping[str, Any]") -> ProjrunSubmittedRun:
    """Do what `mlflow.run` does with these arguments. Raises ExecutionException as it does."""
    call = dict(call)
    call["experiment_id"] = _experiment(call.pop("experiment_name", None), call.get("experiment_id"))
    submitted = submit(call, os.environ["PROJRUN_RUNNER"], get_tracking_uri())
    if call.get("synchronous", True):
        finish(submitted)
    return submitted


def submit(call: "Mapping[str, Any]", python: str, tracking_uri: str) -> ProjrunSubmittedRun:
    """Start the run with the projrun of that Python. Raises ExecutionException where nothing was started."""
    if not tracking_uri.startswith(("http://", "https://")):
        raise ExecutionException(
            "projrun records on http(s) servers alone; set a tracking URI, as with MLFLOW_TRACKING_URI"
        )
    runner = Runner(python, RequestFile(call), _environment(tracking_uri))
    runner.wait_until_told("run_id")
    if "run_id" not in runner.told:
        code = runner.wait()
        raise _failure(str(runner.told.get("error") or f"projrun ended with exit code {code}"), runner)
    return ProjrunSubmittedRun(runner)


def finish(submitted: ProjrunSubmittedRun) -> None:
    """Wait for it, as MLflow does. Raises ExecutionException where it did not finish."""
    if not submitted.wait():
        raise submitted.failure()
    _logger.info("=== Run (ID '%s') succeeded ===", submitted.run_id)


def _experiment(name: "Any", experiment_id: "Any") -> str:
    """By MLflow's own rules: what was given, what `set_experiment` was given, the variables."""
    from mlflow.projects import _resolve_experiment_id

    return str(_resolve_experiment_id(experiment_name=name, experiment_id=experiment_id))


def _environment(tracking_uri: str) -> "dict[str, str]":
    """This process's variables, and what its MLflow knows: where it records, the active run as the parent."""
    environ = dict(os.environ)
    if environ.get("PROJRUN_RUN_URI") != tracking_uri:
        # Ids of the run that this process belongs to mean nothing there.
        environ.pop("PROJRUN_PARENT_RUN_ID", None)
        environ.pop("PROJRUN_ENDPOINT_STORE", None)
    environ.pop("PROJRUN_TRACKING_URI", None)
    environ["MLFLOW_TRACKING_URI"] = tracking_uri
    active = fluent.active_run()
    if active is not None:
        environ["PROJRUN_PARENT_RUN_ID"] = active.info.run_id
    return environ


def _failure(text: str, runner: Runner) -> ExecutionException:
    error = ExecutionException(text)
    error.run_id, error.exit_code = runner.told.get("run_id"), runner.process.returncode
    return error
