"""How a run ended, as CI systems show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from projrun.cli.rendering import duration_text
from projrun.credentials import redact_uri
from projrun.errors import ProjrunError
from projrun.running.plan import Plan
from projrun.running.record.description import describe
from projrun.running.request import RunRequest
from projrun.running.runner import Result
from projrun.tuples import NamedTuple

KILLED = "KILLED"


class Conclusion(NamedTuple):
    """What is shown of a run, or of a request that never became one. No secrets."""

    project: str
    entry_point: str
    status: str
    """MLflow's, or ERROR where projrun could not run it."""
    reason: str = ""
    run_name: str = ""
    run_id: str = ""
    parameters: Sequence[tuple[str, str]] = ()
    milliseconds: int | None = None
    results: str = ""
    """The run's page, or the command that shows it."""
    file: Path | None = None
    """The MLproject file, with the line of the entry point; 0 where that is not known."""
    line: int = 0

    @property
    def title(self) -> str:
        """What failed, in a few words."""
        return f"{self.project}: {self.entry_point}"

    @property
    def duration(self) -> str:
        """For people."""
        return duration_text(self.milliseconds)


def of_result(plan: Plan, result: Result, results: str) -> Conclusion:
    """A run that has ended."""
    run = result.run
    entry_point = plan.project.entry_points.get(plan.invocation.entry_point)
    return Conclusion(
        plan.project.name or plan.checkout.directory.name,
        plan.invocation.entry_point,
        run.status,
        result.outcome.reason,
        run.run_name,
        run.run_id,
        [(param.key, param.value) for param in describe(plan).params],
        run.duration,
        results,
        plan.project.file,
        entry_point.location.line if entry_point and entry_point.location else 0,
    )


def of_error(request: RunRequest, error: ProjrunError) -> Conclusion:
    """A request that could not be run; with `run_id` where it had become a run."""
    reason = f"{error.message}; {error.hint}" if error.hint else error.message
    project = redact_uri(request.uri) or error.run_id or ""
    return Conclusion(project, request.entry_point, "ERROR", reason, run_id=error.run_id or "")
