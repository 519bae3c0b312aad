"""Environment managers by name, and the choice among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from projrun.environments.protocol import EnvironmentManager, EnvironmentRequest, GivenOptions, Refusal
from projrun.errors import EnvironmentBuildError
from projrun.plugins import built_ins, create_plugin, entry_point_names, load_plugin
from projrun.project.model import EnvironmentReference
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from projrun.environments.abilities import MayBeUnreachable, MayRefuse, UsesTool
    from projrun.foreign import Results

_GROUP = "projrun.environments"


class Selection(NamedTuple):
    """The manager of a run, and why it is this one, for the plan."""

    manager: EnvironmentManager
    reason: str
    instead: str = ""
    """Why it builds a substitute (`EnvironmentRequest.instead`)."""


def get_manager(name: str) -> EnvironmentManager:
    """The manager of that name; RequestError for an unknown name, PluginError for a faulty one."""
    manager = create_plugin(
        "environment manager", name, built_ins().ENVIRONMENTS, _GROUP, EnvironmentManager, _results_of_others
    )
    return cast(EnvironmentManager, manager)


def read_options_of(option: str, given: GivenOptions) -> object:
    """The record of the built-in manager that takes an option; imports no manager."""
    record = load_plugin("option", option, built_ins().ENVIRONMENT_OPTIONS, _GROUP)
    options: object = record.read(given)
    return options


def _results_of_others() -> Results:
    from projrun.environments.foreign import manager_results

    return manager_results()


def select_manager(
    explicit: str | None, origin: str, request: EnvironmentRequest, lock_kind: str | None = None
) -> Selection:
    """The manager that the user named (`origin` says where), else the best that serves the project.

    `lock_kind` is that of the lock to build from: it decides between an original and a substitute. Raises
    RequestError for an unknown name, EnvironmentBuildError where no manager on this machine serves.
    """
    if explicit is not None:
        return _explicit(get_manager(explicit), origin, request.reference)
    missing: list[EnvironmentManager] = []
    refusals: list[Refusal] = []
    substitutes: list[EnvironmentManager] = []
    unreachable: list[str] = []
    for manager in _candidates(request.reference.kind):
        locked = lock_kind in manager.capabilities.locks
        refusal = _refusal(manager, request.reference)
        available = (refusal is None or refusal.substitute) and manager.available(request.environ)
        if refusal is not None and not (locked and available):
            refusals.append(refusal)
            substitutes += [manager] if available else []
        elif not available:
            missing.append(manager)
        elif substitutes and not locked and (reason := _unreachable(manager, request)):
            unreachable.append(reason)
        else:
            return Selection(manager, _reason(manager, missing, refusals, request.environ))
    if substitutes:
        why = unreachable[0] if unreachable else f"{_names(missing)} is not installed"
        return Selection(substitutes[0], f"{substitutes[0].name}: {why}", why)
    raise _none_serves(request.reference, missing, refusals)


def _refusal(manager: EnvironmentManager, reference: EnvironmentReference) -> Refusal | None:
    # Not isinstance: of a Protocol it imports `inspect` from Python 3.12 on, a tenth of the start.
    return cast("MayRefuse", manager).refusal(reference) if hasattr(manager, "refusal") else None


def _unreachable(manager: EnvironmentManager, request: EnvironmentRequest) -> str | None:
    return cast("MayBeUnreachable", manager).unreachable(request) if hasattr(manager, "unreachable") else None


def _names(managers: Iterable[EnvironmentManager]) -> str:
    return " and ".join(manager.name for manager in managers)


def _candidates(kind: str) -> Iterator[EnvironmentManager]:
    """Those that serve a kind, the best first; other packages' only for a kind that no built-in serves."""
    found = False
    for name in built_ins().PREFERRED_ENVIRONMENTS:
        manager = get_manager(name)
        if manager.capabilities.serves(kind):
            found = True
            yield manager
    if not found:
        yield from (manager for manager in _registered() if manager.capabilities.serves(kind))


def _registered() -> Iterator[EnvironmentManager]:
    names = entry_point_names(_GROUP)
    return (get_manager(name) for name in names if name not in built_ins().ENVIRONMENTS)


def _explicit(manager: EnvironmentManager, origin: str, reference: EnvironmentReference) -> Selection:
    if manager.capabilities.serves(reference.kind):
        return Selection(manager, f"{manager.name}: {origin}")
    serving = list(_candidates(reference.kind))
    for other in serving:
        if other.capabilities.containers:
            return Selection(other, f"{other.name}: the project's {reference.kind}, despite {origin}")
    by_option = built_ins().CHOOSING_OPTIONS.values()
    names = [name for name in built_ins().ENVIRONMENTS if name not in by_option]
    able = [name for name in names if get_manager(name).capabilities.serves(reference.kind)]
    able += [other.name for other in serving if other.name not in names]
    raise EnvironmentBuildError(
        f"environment manager {manager.name!r} cannot build {_described(reference)}",
        hint=f"managers that can: {', '.join(able)}",
    )


def _reason(
    manager: EnvironmentManager,
    missing: list[EnvironmentManager],
    refusals: list[Refusal],
    environ: Mapping[str, str],
) -> str:
    if missing:
        return f"{manager.name}: {_names(missing)} is not installed"
    tool = cast("UsesTool", manager).tool(environ) if hasattr(manager, "tool") else None
    if tool:
        return f"{manager.name}: found at {tool}"
    return f"{manager.name}: {refusals[0].reason if refusals else 'default'}"


def _none_serves(
    reference: EnvironmentReference, missing: list[EnvironmentManager], refusals: list[Refusal]
) -> EnvironmentBuildError:
    if refusals:
        return refusals[0].error
    way_out = f"use --env-manager={built_ins().CALLER_ENVIRONMENT}"
    if not missing:
        return EnvironmentBuildError(
            f"no environment manager builds {_described(reference)}",
            hint=f"install the package that provides one for {reference.kind}, or {way_out}",
        )
    from projrun.environments.abilities import NeedsInstallation

    first = missing[0]
    if isinstance(first, NeedsInstallation):
        needs, hint = first.needs, f"{first.installation}, or {way_out}"
    else:
        needs, hint = f"{' or '.join(one.name for one in missing)}, which is not installed", way_out
    return EnvironmentBuildError(f"{_described(reference)} needs {needs}", hint=hint)


def _described(reference: EnvironmentReference) -> str:
    if reference.file:
        return reference.file.name
    return (
        "a project without an environment file"
        if reference.kind == "none"
        else f"a {reference.kind} environment"
    )
