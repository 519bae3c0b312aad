"""How a container ended: read from the daemon and explained; then the container is removed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.errors import EnvironmentBuildError
from projrun.execution.protocol import Outcome
from projrun.execution.supervision.ending import ended
from projrun_backends.environments.containers.engine import ContainerState, Engine

_CREATION = 2.0
"""Seconds in which the daemon may still create what a killed client asked for."""
_NOT_INVOKED = {126: "command found but not executable in", 127: "command not found in"}
"""`docker run`'s codes are the shell's own (docs.docker.com, "docker run", exit status)."""
_NOISE = ("See ", "Run ", "Usage:", "WARNING", "Unable to find image")
_HINTS = {
    "unknown flag": "`docker run --help` lists what -A takes",
    "unknown shorthand flag": "`docker run --help` lists what -A takes",
    "could not select device driver": "install the NVIDIA Container Toolkit, or remove -A gpus",
    "is already in use by container": "choose another -A name, or remove that container",
}


class Container(NamedTuple):
    """A container, before it exists."""

    label: str
    """Unique to this run's container."""
    id_file: Path
    log_file: Path
    image: str

    def details(self) -> dict[str, str]:
        """It as `conclude` takes it."""
        return {name: str(value) for name, value in self._asdict().items()}


def conclude(outcome: Outcome, details: Mapping[str, str], environ: Mapping[str, str]) -> Outcome:
    """The container's outcome. Raises EnvironmentBuildError for one that never ran; removes the container."""
    container = Container(
        details["label"], Path(details["id_file"]), Path(details["log_file"]), details["image"]
    )
    try:
        engine = Engine.connect(environ)  # again: hours may have passed
        identifiers = _identifiers(engine, container, outcome)
        state = engine.container(identifiers[0]) if identifiers else None
        for identifier in identifiers:
            engine.remove_container(identifier)
    except EnvironmentBuildError as error:
        text = f"the run's container may still exist (docker ps --filter label={container.label})"
        return outcome._replace(warnings=(*outcome.warnings, f"{text}: {error.message}"))
    return _explained(outcome, state, container)


def _identifiers(engine: Engine, container: Container, outcome: Outcome) -> list[str]:
    known = _read_identifier(container.id_file)
    patience = time.monotonic() + _CREATION
    while not known:
        found = engine.labelled(container.label)
        # A client that is ending may have requested the container in its last moment.
        if found or outcome.signal is None or time.monotonic() > patience:
            return found
        time.sleep(0.1)
    return [known]


def _read_identifier(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _explained(outcome: Outcome, state: ContainerState | None, container: Container) -> Outcome:
    if outcome.status == "KILLED" or outcome.cause == "timeout":
        return outcome
    if state is None:
        return _without_container(outcome, container)
    if not state.started:
        return _not_started(outcome, state, container)
    if state.running:
        code = outcome.exit_code or 1
        return Outcome(
            "FAILED", code, "the docker program ended before the container", warnings=outcome.warnings
        )
    seen = ended(state.exit_code, (), outcome.warnings)
    if state.exit_code and state.out_of_memory:
        return seen._replace(reason=_out_of_memory(state), cause="oom")
    return _not_invoked(seen, container) if state.exit_code in _NOT_INVOKED else seen


def _without_container(outcome: Outcome, container: Container) -> Outcome:
    if outcome.status == "FINISHED":
        return outcome
    if _read_identifier(container.id_file):
        return outcome._replace(reason=f"another process removed the container ({outcome.reason})")
    raise _failure(_last_line(container.log_file) or outcome.reason)


def _not_started(outcome: Outcome, state: ContainerState, container: Container) -> Outcome:
    if outcome.exit_code in _NOT_INVOKED:
        return _not_invoked(outcome, container)
    raise _failure(state.error or _last_line(container.log_file) or outcome.reason)


def _not_invoked(outcome: Outcome, container: Container) -> Outcome:
    what = _NOT_INVOKED[outcome.exit_code]
    return outcome._replace(reason=f"{what} the image {container.image} (exit code {outcome.exit_code})")


def _failure(line: str) -> EnvironmentBuildError:
    line = line.removeprefix("docker: ").removeprefix("Error response from daemon: ").strip()
    known = (hint for part, hint in _HINTS.items() if part in line)
    hint = next(known, "`projrun plan` shows what Docker was asked for")
    return EnvironmentBuildError(f"Docker could not start the container: {line}", hint=hint)


def _last_line(log: Path) -> str:
    """Docker's own line: nothing else writes to the log of a container that never started."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.strip() for line in lines[-40:] if line.strip() and not line.strip().startswith(_NOISE)]
    return said[-1] if said else ""


def _out_of_memory(state: ContainerState) -> str:
    limit = f" of {state.memory_limit / 2**20:.0f} MiB" if state.memory_limit else ""
    remedy = "; raise it with --memory" if limit else ""
    return f"out of memory: the container reached its limit{limit} (exit code {state.exit_code}){remedy}"
