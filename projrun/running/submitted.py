"""A submitted run: what `projrun.run` returns."""

from __future__ import annotations

import atexit
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from projrun.cache.lease import Lease, lease_of
from projrun.cache.lost_leases import take_over
from projrun.cache.ownership import make_private
from projrun.credentials import redact_uri
from projrun.errors import ProjrunError
from projrun.reporting import SilentReporter
from projrun.running.handover import discard_request, hand_over
from projrun.running.plan import Plan, make_plan
from projrun.running.record.lookup import find_run
from projrun.running.record.lost import end_lost_run
from projrun.running.record.parent import PARENT_RUN_ID, find_parent, parent_run_id
from projrun.running.record.recorder import now
from projrun.running.request import Context, RunRequest
from projrun.running.session import record, run_store
from projrun.sources.uri import parse_project_uri
from projrun.tracking.open import close_store, open_store

PROGRAM = "projrun.cli.submitted"
"""The module that executes a request; `cli` is above this room, so it is named, not imported."""


class SubmittedRun(ABC):
    """A started run, with the interface of MLflow's `SubmittedRun`."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._run_id}>"

    @property
    def run_id(self) -> str:
        """The run's id in the tracking store."""
        return self._run_id

    @property
    def command_proc(self) -> subprocess.Popen[bytes] | None:
        """The process that executes the run, as MLflow calls it; None for a run that this process executed."""
        return None

    @abstractmethod
    def wait(self) -> bool:
        """Wait for its end; True where it FINISHED."""

    @abstractmethod
    def get_status(self) -> str:
        """MLflow's word: RUNNING, FINISHED, FAILED or KILLED."""

    @abstractmethod
    def cancel(self) -> None:
        """End it as SIGTERM to `projrun run` would, and wait: it ends KILLED. Does nothing to a run that has ended."""


class FinishedRun(SubmittedRun):
    """A synchronous run, which has ended."""

    def __init__(self, run_id: str, status: str) -> None:
        super().__init__(run_id)
        self._status = status

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._run_id} {self._status}>"

    def wait(self) -> bool:
        """At once."""
        return self._status == "FINISHED"

    def get_status(self) -> str:
        """Its last status."""
        return self._status

    def cancel(self) -> None:
        """Nothing: it has ended."""


class RunningRun(SubmittedRun):
    """A run in a process of its own."""

    def __init__(self, plan: Plan, run_id: str, process: subprocess.Popen[bytes], request: Path) -> None:
        super().__init__(run_id)
        self._plan = plan
        self._process = process
        self._request = request
        atexit.register(self._wait_at_exit)

    @property
    def command_proc(self) -> subprocess.Popen[bytes]:
        return self._process

    @classmethod
    def start(cls, request: RunRequest, context: Context) -> RunningRun:
        """Record the run here, so that its id is known, then start the process that executes it.

        Raises what `make_plan` raises, and TrackingError; the run is not left behind when the start fails.
        """
        plan = make_plan(request, context, own_copy=False)
        _, orphaned = find_parent(context.environ, plan.tracking.uri.text)
        if orphaned:  # only this process knows the active run; the other warnings are the new one's
            SilentReporter().warning(orphaned)
        recorder, lease = record(plan, SilentReporter())
        close_store(recorder.store, SilentReporter().warning)
        run_id = recorder.run.run_id
        file: Path | None = None
        try:
            planned = _request(plan, request, run_id)
            make_private(plan.directories.active)
            file = hand_over(planned, plan.directories.active, run_id)
            process = _start(planned, file, lease, context.environ)
        except BaseException as error:
            if file is not None:
                discard_request(file)
            _end(plan, lease, "FAILED", 70, f"the runner could not be started: {error}")
            raise
        lease.release(keep=True)  # the process holds it now
        return cls(plan, run_id, process, file)

    def wait(self) -> bool:
        """Wait for the process; True where the run FINISHED."""
        code = self._process.wait()
        discard_request(self._request)
        atexit.unregister(self._wait_at_exit)
        self._end_if_running(code)
        return self.get_status() == "FINISHED"

    def _wait_at_exit(self) -> None:
        with suppress(ProjrunError):  # there is no one left to tell that the store cannot be reached
            self.wait()

    def _end_if_running(self, code: int) -> None:
        """End the record where the process could not: it was cancelled, or died, before it continued the run."""
        cancelled = code in (-signal.SIGTERM, -signal.SIGINT)
        reason = "interrupted before it started" if cancelled else f"the runner ended with exit code {code}"
        folder = lease_of(self._plan.directories.active, self.run_id)
        lease = None if folder is None else take_over(folder)
        if lease is not None:
            exit_code = 128 - code if code < 0 else code
            _end(self._plan, lease, "KILLED" if cancelled else "FAILED", exit_code, reason)

    def get_status(self) -> str:
        """What the record says."""
        plan, warn = self._plan, SilentReporter().warning
        folder = lease_of(plan.directories.active, self.run_id)
        # Without a lease the record is delivered, under another id if the run was offline.
        store = run_store(plan, folder) if folder else open_store(plan.tracking.uri, plan.environ, warn=warn)
        try:
            return find_run(store, self.run_id).status
        finally:
            close_store(store, SilentReporter().warning)

    def cancel(self) -> None:
        """SIGTERM to the process, which passes it on and records KILLED."""
        if self._process.poll() is None:
            self._process.terminate()
        self.wait()


def _end(plan: Plan, lease: Lease, status: Literal["FAILED", "KILLED"], exit_code: int, reason: str) -> None:
    """End the run whose process left its lease, as that process noted, else as given here."""
    if not lease.mark.status:
        end = lease.mark._replace(status=status, exit_code=exit_code, reason=reason, end_time=now())
        with suppress(OSError):
            lease.note(end)
    warn = SilentReporter().warning
    if plan.tracking.journal == "offline":
        end_lost_run(lease, plan.directories.logs, None, warn)
        return
    store = run_store(plan, lease.folder, warn)
    try:
        end_lost_run(lease, plan.directories.logs, store, warn)
    finally:
        close_store(store, warn)


def _request(plan: Plan, request: RunRequest, run_id: str) -> RunRequest:
    """The request for exactly what was planned, recorded in the run that is there now."""
    uri, version = _source(plan, request)
    return request._replace(uri=uri, version=version, options={**request.options, "run-id": run_id})


def _start(
    request: RunRequest, file: Path, lease: Lease, environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    # The last word is only for people who look at the process list.
    descriptor = lease.descriptor
    words = [sys.executable, "-m", PROGRAM, str(file), str(descriptor), redact_uri(request.uri)]
    parent = parent_run_id(environ)
    variables = {**environ, PARENT_RUN_ID: parent} if parent else dict(environ)
    return subprocess.Popen(words, env=variables, pass_fds=[descriptor])


def _source(plan: Plan, request: RunRequest) -> tuple[str, str | None]:
    """The URI and the version that lead to exactly the planned source, whatever has moved since."""
    checkout = plan.checkout
    if checkout.cached is None:
        return request.uri, request.version
    if checkout.digest is not None:
        return request.uri, f"sha256:{checkout.digest}"
    parsed = parse_project_uri(request.uri, request.caller_directory)
    if not parsed.web_path:
        return request.uri, checkout.commit
    # A web address names its version itself.
    return f"{parsed.location}#{checkout.subdirectory}", checkout.commit
