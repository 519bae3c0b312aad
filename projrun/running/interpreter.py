"""The Python of an environment, for programs that work beside what a project or a model brings."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

from projrun.environments.lock_text import locked_packages
from projrun.environments.protocol import EnvironmentManager, PreparedEnvironment
from projrun.environments.registry import get_manager
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.plugins import built_ins
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


def builds_folders(manager: str) -> bool:
    """Whether a manager builds environments that are folders. Raises RequestError for an unknown one."""
    able = get_manager(manager).capabilities
    return able.builds and not able.containers


def locked_python(lock: str) -> str:
    """The version of Python that the text of a lock is for; empty where it does not say."""
    return (locked_packages(lock).get("python", "").split() or [""])[0]


def python_version(interpreter: Interpreter) -> str:
    """`3.11.7`, from the lock where there is one; empty for a Python that does not say it."""
    known = locked_python(interpreter.lock or "")
    if known:
        return known
    words = [*interpreter.command, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    done = subprocess.run(words, env=interpreter.environ, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _of(prepared: PreparedEnvironment, environ: Mapping[str, str], summary: str) -> Interpreter:
    child = child_environment(environ, prepared, {})
    python = shutil.which("python", path=child.get("PATH")) or shutil.which("python3", path=child.get("PATH"))
    if python is None:
        raise EnvironmentBuildError(
            f"the environment has no python: {summary}", hint="choose another --env-manager"
        )
    return Interpreter((*prepared.argv_prefix, python), child, prepared.lock)


def preferred_managers() -> tuple[EnvironmentManager, ...]:
    """The built-in managers that a project may get by itself, the best first."""
    return tuple(get_manager(name) for name in built_ins().PREFERRED_ENVIRONMENTS)
