"""Environment managers by name, and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, cast, runtime_checkable

from projrun.environments.protocol import EnvironmentManager
from projrun.errors import EnvironmentBuildError
from projrun.plugins import load_plugin
from projrun.project.model import EnvironmentReference

EXISTING = "existing"
"""The manager of existing environments: what `--env PATH` chooses."""

_GROUP = "projrun.environments"
_BUILT_IN = {
    "local": "projrun_backends.environments.local:LocalEnvironment",
    "virtualenv": "projrun_backends.environments.python.virtualenv:VirtualenvEnvironment",
    "uv": "projrun_backends.environments.python.uv:UvEnvironment",
    "docker": "projrun_backends.environments.containers.docker:DockerEnvironment",
    "conda": "projrun_backends.environments.conda.manager:CondaEnvironment",
    "existing": "projrun_backends.environments.existing:ExistingEnvironment",
}
_PREFERRED = ("uv", "virtualenv", "conda", "docker")
"""The managers to choose from if the user chose none, the best first."""
_CONTAINERS = {"docker_env": "docker"}
"""Kinds that one manager serves whichever was chosen, as in MLflow: a driver's `uv` is also the choice of its
step that needs Docker. An explicit `local`, which takes everything, stays."""


class Selection(NamedTuple):
    """The manager of a run, and why it is this one, for the plan."""

    manager: EnvironmentManager
    reason: str


@runtime_checkable
class UsesTool(Protocol):
    """A manager that works through a program of the machine."""

    def tool(self, environ: Mapping[str, str]) -> Path | None:
        """Where the program is, None where it is not installed."""
        ...


def get_manager(name: str) -> EnvironmentManager:
    """The manager of that name; RequestError for an unknown name."""
    manager = load_plugin("environment manager", name, _BUILT_IN, _GROUP)
    return cast(EnvironmentManager, manager())


def select_manager(
    explicit: str | None, origin: str, reference: EnvironmentReference, environ: Mapping[str, str]
) -> Selection:
    """The manager that the user named (`origin` says where), else the best that serves the project.

    Raises RequestError for an unknown name, EnvironmentBuildError where no manager on this machine serves.
    """
    if explicit is not None:
        return _explicit(get_manager(explicit), origin, reference)
    missing: list[str] = []
    needs_conda = _needs_conda(reference)
    for name in _PREFERRED:
        manager = get_manager(name)
        able = manager.capabilities
        if reference.kind not in able.kinds or (needs_conda and not able.conda_packages):
            continue
        if manager.available(environ):
            otherwise = (
                f"{_described(reference)} needs more than pip can install" if needs_conda else "default"
            )
            return Selection(manager, _reason(manager, missing, environ, otherwise))
        missing.append(name)
    raise _none_serves(reference, missing)


def _needs_conda(reference: EnvironmentReference) -> bool:
    """Whether it is a conda file that needs more than pip can install; RequestError for an invalid one."""
    if reference.kind != "conda_env" or reference.file is None:
        return False
    from projrun.environments.conda_files import read_conda_document

    return bool(read_conda_document(reference.file, reference.file.name).foreign)


def _explicit(manager: EnvironmentManager, origin: str, reference: EnvironmentReference) -> Selection:
    if reference.kind not in manager.capabilities.kinds:
        if reference.kind in _CONTAINERS and manager.name != EXISTING:
            asked = get_manager(_CONTAINERS[reference.kind])
            return Selection(asked, f"{asked.name}: the project's {reference.kind}, despite {origin}")
        raise EnvironmentBuildError(
            f"environment manager {manager.name!r} cannot build {_described(reference)}",
            hint=f"managers that can: {', '.join(_serving(reference))}",
        )
    return Selection(manager, f"{manager.name}: {origin}")


def _reason(
    manager: EnvironmentManager, missing: list[str], environ: Mapping[str, str], otherwise: str
) -> str:
    if missing:
        return f"{manager.name}: {' and '.join(missing)} is not installed"
    tool = manager.tool(environ) if isinstance(manager, UsesTool) else None
    return f"{manager.name}: {f'found at {tool}' if tool else otherwise}"


def _none_serves(reference: EnvironmentReference, missing: list[str]) -> EnvironmentBuildError:
    if reference.kind in _CONTAINERS:
        return EnvironmentBuildError(
            f"{_described(reference)} needs the program {_CONTAINERS[reference.kind]}, which is not on PATH",
            hint="see https://docs.docker.com/engine/install/, or use --env-manager=local",
        )
    if reference.file is not None and _needs_conda(reference):
        from projrun.environments.conda_files import needs_conda, read_conda_document

        name = reference.file.name
        return needs_conda(name, read_conda_document(reference.file, name).foreign)
    return EnvironmentBuildError(
        f"{_described(reference)} needs {' or '.join(missing) or 'an environment manager'},"
        " which is not installed",
        hint=f"pip install {missing[0]}, or use --env-manager=local"
        if missing
        else "use --env-manager=local",
    )


def _serving(reference: EnvironmentReference) -> list[str]:
    names = [name for name in _BUILT_IN if name != EXISTING]
    return [name for name in names if reference.kind in get_manager(name).capabilities.kinds]


def _described(reference: EnvironmentReference) -> str:
    return reference.file.name if reference.file else f"a {reference.kind} environment"
