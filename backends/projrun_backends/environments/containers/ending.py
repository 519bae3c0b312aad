"""How a container ended: read from the daemon, told in a person's words; then it is removed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from projrun.errors import EnvironmentBuildError
from projrun.execution.ending import ended
from projrun.execution.protocol import Outcome
from projrun_backends.environments.containers.engine import ContainerState, Engine, EngineError

_CREATION = 2.0
"""Seconds in which the daemon may still create what a killed client asked for."""
_NOT_INVOKED = (126, 127)
_NOISE = ("See ", "Run ", "Usage:", "WARNING", "Unable to find image")
_HINTS = {
    "unknown flag": "`docker run --help` lists what -A takes",
    "unknown shorthand flag": "`docker run --help` lists what -A takes",
    "could not select device driver": "install the NVIDIA Container Toolkit, or leave -A gpus out",
    "is already in use by container": "choose another -A name, or remove that container",
}


class Container(NamedTuple):
    """A container, before it exists."""

    name: str
    id_file: Path
    log_file: Path
    image: str


def conclude(engine: Engine, container: Container, outcome: Outcome) -> Outcome:
    """What became of the container. Raises EnvironmentBuildError for one that never ran; none is left."""
    try:
        state = _final_state(engine, container, outcome)
        engine.remove_container(container.name)
    except EngineError as error:
        return outcome._replace(warnings=(*outcome.warnings, error.message))
    return _explained(outcome, state, container)


def _final_state(engine: Engine, container: Container, outcome: Outcome) -> ContainerState | None:
    patience = time.monotonic() + _CREATION
    while True:
        state = engine.container(_identifier(container))
        # A client that was told to end may have asked for the container in its last moment.
        if state is not None or outcome.signal is None or time.monotonic() > patience:
            return state
        time.sleep(0.1)


def _identifier(container: Container) -> str:
    try:
        return container.id_file.read_text(encoding="ascii").strip() or container.name
    except OSError:
        return container.name


def _explained(outcome: Outcome, state: ContainerState | None, container: Container) -> Outcome:
    if outcome.status == "KILLED":
        return outcome
    if state is None:
        return _without_container(outcome, container)
    if not state.started:
        return _not_started(outcome, state, container)
    if state.running:
        return outcome._replace(reason=f"the docker program ended before the container: {outcome.reason}")
    seen = ended(state.exit_code, (), outcome.warnings)
    if state.exit_code and state.out_of_memory:
        return seen._replace(reason=_out_of_memory(state))
    return seen


def _without_container(outcome: Outcome, container: Container) -> Outcome:
    if outcome.status == "FINISHED":
        return outcome
    raise _failure(_last_line(container.log_file) or outcome.reason)


def _not_started(outcome: Outcome, state: ContainerState, container: Container) -> Outcome:
    if outcome.exit_code in _NOT_INVOKED:
        what = "not found in" if outcome.exit_code == 127 else "found but not executable in"
        reason = f"command {what} the image {container.image} (exit code {outcome.exit_code})"
        return outcome._replace(reason=reason)
    raise _failure(state.error or _last_line(container.log_file) or outcome.reason)


def _failure(line: str) -> EnvironmentBuildError:
    line = line.removeprefix("docker: ").removeprefix("Error response from daemon: ").strip()
    known = (hint for part, hint in _HINTS.items() if part in line)
    hint = next(known, "`projrun plan` shows what Docker was asked for")
    return EnvironmentBuildError(f"Docker could not start the container: {line}", hint=hint)


def _last_line(log: Path) -> str:
    """Docker's own: nothing else wrote to the log of a container that never was."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.strip() for line in lines[-40:] if line.strip() and not line.strip().startswith(_NOISE)]
    return said[-1] if said else ""


def _out_of_memory(state: ContainerState) -> str:
    limit = f" of {state.memory_limit / 2**20:.0f} MiB" if state.memory_limit else ""
    remedy = "; allow it more with -A memory=…" if limit else ""
    return f"out of memory: the container reached its limit{limit} (exit code {state.exit_code}){remedy}"
