"""A command for a manager that wraps it in a process of its own; nothing of it is needed by others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.environments.protocol import Launch
from projrun.execution.supervision.output import on_terminal
from projrun.running.child import TrackingAddress
from projrun.running.session import Session


def launch_of(
    session: Session,
    environ: Mapping[str, str],
    variables: Mapping[str, str],
    address: TrackingAddress,
    *,
    keyboard: bool,
) -> Launch:
    """The command of the run, about to start; `keyboard`: whether it gets what is typed."""
    plan, lease = session.plan, session.lease
    parameters = plan.invocation.parameters
    return Launch(
        command=plan.invocation.command,
        directory=plan.checkout.directory,
        environ=environ,
        variables=variables,
        own_endpoint=bool(address.endpoint_store),
        artifact_uri=session.recorder.run.artifact_uri,
        downloads=tuple(Path(parameter.value) for parameter in parameters if parameter.type == "path"),
        scratch=lease.scratch,
        log_file=lease.log_file,
        grace_period=plan.grace_period,
        memory=plan.limits.job.memory if plan.limits else 0,
        cpus=plan.limits.job.cpus if plan.limits else 0.0,
        gpus=session.gpus.devices if session.gpus else None,
        terminal=plan.terminal and keyboard and on_terminal(session.options.forward_stdout_to_stderr),
    )
