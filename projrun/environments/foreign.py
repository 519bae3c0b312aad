"""What another package's environment manager returns, checked: its faults are reported as its own."""

from __future__ import annotations

from functools import partial

from projrun.environments.protocol import ChildProcess, Launch, PreparedEnvironment, ResolvedEnvironment
from projrun.plugins import Origin, Results


def manager_results() -> Results:
    """The checks of what `resolve` and `prepare` return."""
    return {"resolve": _checked_resolution, "prepare": _checked_preparation}


def _checked_resolution(origin: Origin, resolved: object) -> ResolvedEnvironment:
    return origin.expect(resolved, ResolvedEnvironment, "what `resolve` returned")


def _checked_preparation(origin: Origin, prepared: object) -> PreparedEnvironment:
    checked = origin.expect(prepared, PreparedEnvironment, "what `prepare` returned")
    if checked.wrap is None:
        return checked
    return checked._replace(wrap=partial(_wrapped, origin, checked))


def _wrapped(origin: Origin, prepared: PreparedEnvironment, launch: Launch) -> ChildProcess:
    with origin.faults():
        child = prepared.wrap(launch) if prepared.wrap is not None else None
    return origin.expect(child, ChildProcess, "what `wrap` returned")
