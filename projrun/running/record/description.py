"""A run's description from its plan, in MLflow's tags and params."""

from __future__ import annotations

import json
import os
import pwd
import sys

from projrun.project.shown import public
from projrun.running.record.recorder import RunDescription
from projrun.sources.provenance import source_tags
from projrun.tracking.entities import Param
from projrun.typed import TYPE_CHECKING
from projrun.version import __version__

if TYPE_CHECKING:
    from projrun.running.plan import Plan

_LONGEST_TAG = 5000
"""Characters: what every MLflow server takes."""


def describe(plan: Plan) -> RunDescription:
    """The record of a run before it starts: raw parameter values, no secrets (docs/mlproject.md)."""
    shown = map(public, plan.invocation.parameters)
    params = [Param(parameter.name, _encodable(parameter.raw)) for parameter in shown]
    return RunDescription(
        experiment_name=plan.experiment.name,
        experiment_id=plan.experiment.experiment_id,
        run_id=plan.run_id,
        run_name=None if plan.run_name is None else _encodable(plan.run_name),
        tags={key: _encodable(value) for key, value in _tags(plan).items()},
        params=params,
    )


def _encodable(text: str) -> str:
    """Bytes that are no UTF-8 (POSIX arguments and file names) as escapes: no store accepts them as they are."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _tags(plan: Plan) -> dict[str, str]:
    tags = {
        "mlflow.user": _user(),
        "mlflow.source.type": "PROJECT",
        "mlflow.project.entryPoint": plan.invocation.entry_point,
        "mlflow.project.backend": plan.backend.name,
        "mlflow.project.env": plan.environment.resolved.recorded_kind,
        "projrun.env_manager": plan.environment.resolved.manager,
        "projrun.version": __version__,
        "projrun.platform": platform_name(),
        "projrun.parameters": _names([parameter.name for parameter in plan.invocation.parameters]),
        "projrun.given": _names([one.name for one in plan.invocation.parameters if one.origin != "default"]),
        "projrun.limits": plan.limits.recorded if plan.limits else "",
        "projrun.caller_directory": str(plan.caller_directory or ""),
        **plan.environment.resolved.tags,
        **source_tags(plan.checkout),
        **plan.tags,
    }
    if plan.parent:
        tags["mlflow.parentRunId"] = plan.parent
    return tags


def platform_name() -> str:
    """The system and the processor, as in `linux-x86_64`."""
    return f"{sys.platform}-{os.uname().machine}"


def _names(names: list[str]) -> str:
    """Parameters of the run, in their order: its params on the server may be more, logged by the project."""
    text = json.dumps(names)
    return text if len(text) <= _LONGEST_TAG else ""


def _user() -> str:
    """What MLflow records: `getpass.getuser()`, whose module would bring in that of terminals."""
    named = filter(None, map(os.environ.get, ("LOGNAME", "USER", "LNAME", "USERNAME")))
    try:
        return next(named, "") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's uid without a name
        return "unknown"
