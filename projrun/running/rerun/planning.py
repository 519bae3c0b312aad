"""Planning a repeated run, and comparing it with the recorded one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from projrun.errors import ProjrunError
from projrun.reporting import Activity, unseen
from projrun.running.plan import Plan, make_plan
from projrun.running.rerun.differences import Difference, differences, environment_difference
from projrun.running.rerun.repetition import Repetition, installed_lock
from projrun.running.runner import Result
from projrun.sources.fetch import discard


class PlannedRepetition(NamedTuple):
    """The plan of a repeated run, and how it differs from the recorded one."""

    plan: Plan
    differences: tuple[Difference, ...]


def plan_repetition(
    repetition: Repetition, *, own_copy: bool = True, activity: Activity = unseen
) -> PlannedRepetition:
    """Plan it. Raises what `make_plan` raises, and SourceError for a folder whose content is known to have changed."""
    plan = make_plan(repetition.request, repetition.context, own_copy=own_copy, activity=activity)
    try:
        return PlannedRepetition(plan, differences(repetition, plan))
    except BaseException:
        discard(plan.checkout)
        raise


def compare_environments(
    repetition: Repetition, result: Result, warn: Callable[[str], None]
) -> tuple[Difference, ...]:
    """Differences between the recorded and the installed packages. Never fails."""
    from tempfile import TemporaryDirectory

    recorded = repetition.files.lock
    if recorded is None:
        return ()
    try:
        with TemporaryDirectory(prefix="projrun-rerun-") as folder:
            installed = installed_lock(repetition, result.run.artifact_uri, Path(folder), warn)
            found = environment_difference(recorded, installed)
    except (ProjrunError, OSError) as error:
        warn(f"the environment cannot be compared with the recorded one: {error}")
        return ()
    return () if found is None else (found,)
