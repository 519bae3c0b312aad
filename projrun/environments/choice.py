"""Which environment the user wants: a manager, its options, a lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from projrun.environments.protocol import EnvironmentManager, GivenOptions
from projrun.environments.registry import get_manager, read_options_of
from projrun.errors import RequestError
from projrun.plugins import built_ins
from projrun.project.environment_files import default_environment
from projrun.project.model import EnvironmentReference, Project
from projrun.settings import Setting, Settings
from projrun.tuples import NamedTuple

MANAGER_VARIABLE = "PROJRUN_ENV_MANAGER"


class Choice(NamedTuple):
    """The manager that the user chose, and by which option: `--env-manager`, or one that only one manager takes."""

    manager: str | None = None
    origin: str = ""
    option: str = ""
    exported: Mapping[str, str] = {}
    """Makes the choice apply to nested runs, too."""


def choose_environment(settings: Settings) -> Choice:
    """The choice from the most specific place: a nested run's `--env-manager` overrides an inherited `--env`.

    Raises RequestError where both are options.
    """
    choosing = built_ins().CHOOSING_OPTIONS
    names = (*choosing, "env-manager")
    given = [setting.origin for name in names if (setting := settings.get(name))]
    if len(given) > 1 and all(origin.startswith("--") for origin in given):
        raise RequestError(f"both {' and '.join(given)} are given", hint="give only one of them")
    chosen = settings.first_of(*names)
    if chosen is None:
        return Choice()
    option, setting = chosen
    if option in choosing:
        return Choice(choosing[option], setting.origin, option)
    return Choice(setting.value, setting.origin, option, _exported(settings, setting))


def the_environment(project: Project, manager: str | None) -> tuple[EnvironmentReference, tuple[str, ...]]:
    """The environment of a project that may name or have several, which the manager decides; and a warning for others.

    Raises RequestError where it does not, and needs one of them.
    """
    if not project.others:
        named = project.environment.location is not None or project.environment.kind == "script"
        return (project.environment if named or manager is None else _default_of(project, manager)), ()
    from projrun.environments.several import decide

    return decide(project, manager)


def _default_of(project: Project, chosen: str) -> EnvironmentReference:
    """Of the default files, the first that the manager builds: models of MLflow have two."""
    manager, first = get_manager(chosen), project.environment
    able = manager.capabilities
    if not able.builds or able.serves(first.kind):
        return first
    found = default_environment(project.directory, project.within, able.serves)
    if found.file is None:
        return first
    return found._replace(python=first.python, python_origin=first.python_origin)


def read_given(given: GivenOptions, choice: Choice) -> Mapping[str, object]:
    """For each option of a built-in manager that is given, the manager's record, whichever manager is chosen.

    Wrong values are found, and what nested runs take from their environment is exported, whatever this run uses.
    Raises RequestError.
    """
    lost = {name for name in built_ins().CHOOSING_OPTIONS if name != choice.option}
    names = [name for name in built_ins().ENVIRONMENT_OPTIONS if name not in lost and given.has(name)]
    return {name: read_options_of(name, given) for name in names}


def exported_by(records: Iterable[object]) -> dict[str, str]:
    """The variables that the records set, for the tools of their managers and for nested runs."""
    return {name: value for record in records for name, value in getattr(record, "exported", {}).items()}


def idle_warnings(records: Mapping[str, object], own: object) -> tuple[str, ...]:
    """What to say of options that are given, but not taken by the chosen manager, whose record is `own`."""
    taken = getattr(own, "_fields", ())
    idle = [
        getattr(record, "idle", "") for name, record in records.items() if name.replace("-", "_") not in taken
    ]
    return tuple(dict.fromkeys(filter(None, idle)))


def _exported(settings: Settings, manager: Setting) -> dict[str, str]:
    """A recorded manager may not have been chosen, which matters for nested runs; one that builds nothing was."""
    recorded = settings.record and manager.origin == settings.record
    if recorded and get_manager(manager.value).capabilities.builds:
        return {}
    return {MANAGER_VARIABLE: manager.value}


def lock_kind_of(given: GivenOptions) -> str | None:
    """The kind of the lock that `--locked` or a record names; None without one."""
    setting = given.settings.get("locked")
    file = given.absolute(setting.value) if setting else None
    if file is None or not _is_file(file):
        return None  # `lock_file` says what is wrong
    try:
        return _kind_of(file)
    except OSError:
        return None  # the manager that reads it says what is wrong


def lock_file(given: GivenOptions, manager: EnvironmentManager) -> Path | None:
    """The file of `--locked`; RequestError if it does not exist, or if the manager cannot build from it."""
    settings = given.settings
    setting = settings.get("locked")
    if setting is None:
        return None
    if settings.record and setting.origin == settings.record:
        return _recorded_lock(Path(setting.value), manager)
    if not manager.capabilities.builds:
        raise RequestError(
            "--locked: the environment is used as it is, not built",
            hint="remove --locked, or choose an --env-manager that builds",
        )
    if not manager.capabilities.locks:
        raise RequestError(
            f"--locked: {manager.name!r} does not build environments from a lock",
            hint="remove --locked, or choose an --env-manager that builds from a lock",
        )
    file = given.absolute(setting.value)
    if not _is_file(file):
        raise RequestError(
            f"--locked: file {file} not found",
            hint="give the file that a run recorded as environment/requirements.lock.txt",
        )
    return file


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # in a folder that is closed to this user
        return False


def _recorded_lock(file: Path, manager: EnvironmentManager) -> Path | None:
    """The lock of the run that is repeated; None if the current manager cannot build from that kind of lock."""
    able = manager.capabilities
    if not (able.builds and able.locks):
        return None
    try:
        return file if _kind_of(file) in able.locks else None
    except OSError as error:
        raise RequestError(f"the recorded lock {file}: {error.strerror}") from None


def _kind_of(lock: Path) -> str:
    from projrun.bounded import LARGEST_LOCK, read_file
    from projrun.environments.lock_text import lock_kind

    return lock_kind(read_file(lock, LARGEST_LOCK).decode("utf-8", "replace"))
