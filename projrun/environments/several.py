"""A project that names several environments: which one the chosen manager uses."""

from __future__ import annotations

from projrun.environments.registry import get_manager
from projrun.project.environment_files import several_problem
from projrun.project.model import EnvironmentReference, Location, Project
from projrun.project.text import LocatedError, excerpt_of_file

_NOWHERE = Location("", 0, 0)


def decide(project: Project, chosen: str | None) -> tuple[EnvironmentReference, tuple[str, ...]]:
    """The one that the manager builds, or the first where it builds none, with a warning.

    LocatedError, as in MLflow, where no manager was chosen, and where it could build several of them.
    """
    references = (project.environment, *project.others)
    manager = None if chosen is None else get_manager(chosen)
    serving = [] if manager is None else [one for one in references if manager.capabilities.serves(one.kind)]
    in_order = sorted(references, key=lambda one: _place(one).line)
    problem, hint = several_problem([(one.kind, _place(one).line) for one in in_order])
    if manager is not None and not manager.capabilities.builds:
        return (serving or references)[0], (f"{problem}; {manager.name} builds none of them",)
    if len(serving) == 1:
        return serving[0], (f"{problem}; --env-manager={chosen} builds {serving[0].kind}",)
    if len(serving) > 1:
        several = "both" if len(serving) == 2 else "several of them"
        hint = f"{chosen} builds {several}: keep one, or choose a manager that builds only one"
    location = _place(in_order[1])
    detail = excerpt_of_file(project.file, location)
    raise LocatedError(location, problem, hint=hint, detail=detail, code="two-environments")


def _place(reference: EnvironmentReference) -> Location:
    return reference.location or _NOWHERE
