"""Programs of this machine: git, those of the environment managers, and Pythons."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from projrun.cli.doctor.findings import Finding, State, failed
from projrun.errors import ProjrunError
from projrun.plugins import built_ins, load_plugin
from projrun.running.interpreter import preferred_managers

_PATIENCE = 5.0
_PROGRAMS = (
    ("git", "projects in git repositories, and the commit of every run", "install it: apt-get install git"),
    ("git-lfs", "repositories with files in Git LFS", "install it: apt-get install git-lfs"),
    ("bash", "every command of a project", "install it: apt-get install bash"),
)
"""Programs that the core calls: what needs them, and how to get them."""
_NEEDED = "bash"


def look_at_tools(environ: Mapping[str, str]) -> Iterator[Finding]:
    """All at once: each program takes some 20 ms to say its version."""
    with ThreadPoolExecutor(8) as threads:
        work = [threads.submit(_look_at_program, *program, environ) for program in _PROGRAMS]
        work.append(threads.submit(_look_at_pythons, environ))
        work += [threads.submit(_look_at_manager, manager, environ) for manager in preferred_managers()]
        for one in work:
            yield one.result()


def _look_at_program(name: str, needed_by: str, remedy: str, environ: Mapping[str, str]) -> Finding:
    found = shutil.which(name, path=environ.get("PATH", ""))
    if found is None:
        state: State = "broken" if name == _NEEDED else "warning"
        return Finding("tools", name, state, f"not installed; needed by {needed_by}", remedy)
    return _asked("tools", name, Path(found), environ)


def _look_at_manager(manager: Any, environ: Mapping[str, str]) -> Finding:
    name = str(manager.name)
    try:
        if not manager.available(environ):
            needs = getattr(manager, "needs", name)
            return Finding(
                "managers", name, "warning", f"not available: it needs {needs}",
                getattr(manager, "installation", ""),
            )  # fmt: skip
        tool = manager.tool(environ) if hasattr(manager, "tool") else None
        if tool is None:
            return Finding("managers", name, "ok", "available, from projrun's own environment")
        if hasattr(manager, "check"):
            manager.check(environ)
    except ProjrunError as error:
        return failed("managers", name, error, "warning")
    return _asked("managers", name, tool, environ)


def _look_at_pythons(environ: Mapping[str, str]) -> Finding:
    known = load_plugin("table", "pythons", built_ins().LISTS, "")(environ)
    shown = ", ".join(f"{version} ({path})" for version, path in known)
    return Finding("tools", "pythons", "ok", shown)


def _asked(area: str, name: str, program: Path, environ: Mapping[str, str]) -> Finding:
    """The version that a program says."""
    try:
        done = subprocess.run(
            [program, "--version"], env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else f"it did not answer within {_PATIENCE:g} s"
        return Finding(
            area, name, "broken", f"{program} does not run: {why}", "repair or remove it from PATH"
        )
    lines = (done.stdout or done.stderr).strip().splitlines()
    if done.returncode != 0:
        why = f"{program} --version ended with {done.returncode}{f': {lines[-1]}' if lines else ''}"
        return Finding(area, name, "broken", why, "repair it, or remove it from PATH")
    return Finding(area, name, "ok", f"{lines[0] if lines else ''} ({program})")
