"""The Python of an environment, for programs that work beside what a project or a model brings."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from projrun.environments.protocol import PreparedEnvironment
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.reporting import Reporter
from projrun.running.child import child_environment
from projrun.running.plan import EnvironmentPlan
from projrun.tuples import NamedTuple


class Interpreter(NamedTuple):
    """How a Python program is started in an environment."""

    command: tuple[str, ...]
    """The words before the program's own."""
    environ: Mapping[str, str]
    """The program's whole environment."""
    lock: str | None = None
    """What is installed, as a text that `--locked` takes; None where it is not known."""


def interpreter_of(plan: EnvironmentPlan, environ: Mapping[str, str], reporter: Reporter) -> Interpreter:
    """Build the environment, or find it built. Raises RequestError for one without a Python on this machine's disk,
    EnvironmentBuildError where it cannot be built."""
    if plan.manager.capabilities.containers:
        raise RequestError(
            f"--env-manager={plan.manager.name} runs commands in a container",
            hint="choose another --env-manager",
        )
    with reporter.activity(f"preparing the environment: {plan.resolved.summary}"):
        prepared = plan.manager.prepare(
            plan.request, plan.resolved, rebuild=plan.rebuild, progress=reporter.progress
        )
    return _of(prepared, environ, plan.resolved.summary)


def _of(prepared: PreparedEnvironment, environ: Mapping[str, str], summary: str) -> Interpreter:
    child = child_environment(environ, prepared, {})
    python = shutil.which("python", path=child.get("PATH")) or shutil.which("python3", path=child.get("PATH"))
    if python is None:
        raise EnvironmentBuildError(
            f"the environment has no python: {summary}", hint="choose another --env-manager"
        )
    return Interpreter((*prepared.argv_prefix, python), child, prepared.lock)
