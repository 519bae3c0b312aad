"""Which environment the user wants: a manager, an existing environment, a lock, a Python to download."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from projrun.environments.protocol import EnvironmentManager
from projrun.environments.registry import get_manager
from projrun.errors import RequestError
from projrun.plugins import built_ins
from projrun.settings import Setting, Settings
from projrun.tuples import NamedTuple

MANAGER_VARIABLE = "PROJRUN_ENV_MANAGER"
ENVIRONMENT_VARIABLE = "PROJRUN_ENV"
CONDA_VARIABLE = "PROJRUN_CONDA_EXE"

_AUTOMATIC = frozenset({"automatic", "auto", "true"})
_NEVER = frozenset({"never", "manual", "false"})


class Choice(NamedTuple):
    """What `--env-manager` and `--env` say."""

    manager: str | None = None
    origin: str = ""
    existing: Path | None = None
    exported: Mapping[str, str] = {}
    """Makes the choice apply to nested runs, too."""


def choose_environment(settings: Settings, caller_directory: Path) -> Choice:
    """The choice from the most specific place: a nested run's `--env-manager` overrides an inherited `--env`.

    Raises RequestError where both are options.
    """
    given = [setting for name in ("env", "env-manager") if (setting := settings.get(name))]
    if len(given) == 2 and all(setting.origin.startswith("--") for setting in given):
        raise RequestError("both --env and --env-manager are given", hint="give only one of them")
    chosen = settings.first_of("env", "env-manager")
    if chosen is None:
        return Choice()
    option, setting = chosen
    if option == "env-manager":
        return Choice(setting.value, setting.origin, exported=_exported(settings, setting))
    path = _absolute(setting.value, caller_directory)
    return Choice(built_ins().EXISTING_ENVIRONMENT, setting.origin, path, {ENVIRONMENT_VARIABLE: str(path)})


def _exported(settings: Settings, manager: Setting) -> dict[str, str]:
    """A recorded manager may not have been chosen, which matters for nested runs; one that builds nothing was."""
    recorded = settings.record and manager.origin == settings.record
    if recorded and get_manager(manager.value).capabilities.builds:
        return {}
    return {MANAGER_VARIABLE: manager.value}


def lock_file(settings: Settings, caller_directory: Path, manager: EnvironmentManager) -> Path | None:
    """The file of `--locked`; RequestError if it does not exist, or if the manager cannot build from it."""
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
    file = _absolute(setting.value, caller_directory)
    if not file.is_file():
        raise RequestError(
            f"--locked: file {file} not found",
            hint="give the file that a run recorded as environment/requirements.lock.txt",
        )
    return file


def _recorded_lock(file: Path, manager: EnvironmentManager) -> Path | None:
    """The lock of the run that is repeated; None if the current manager cannot build from that kind of lock."""
    from projrun.environments.lock_text import lock_kind

    able = manager.capabilities
    if not (able.builds and able.locks):
        return None
    kind = lock_kind(file.read_text(encoding="utf-8", errors="replace"))
    return file if kind in able.locks else None


def conda_program(settings: Settings, caller_directory: Path) -> dict[str, str]:
    """`--conda-exe`, as the variable that the conda manager and nested runs read; empty if it is not set."""
    setting = settings.get("conda-exe")
    if setting is None:
        return {}
    is_path = os.sep in setting.value or setting.value.startswith("~")
    value = str(_absolute(setting.value, caller_directory)) if is_path else setting.value
    return {CONDA_VARIABLE: value}


def may_download(settings: Settings) -> bool:
    """Whether a Python may be downloaded; RequestError for any other word."""
    setting = settings.text("python-downloads", "never")
    word = setting.value.lower()
    if word in _AUTOMATIC:
        return True
    if word in _NEVER:
        return False
    raise RequestError(
        f"{setting.origin}: {setting.value!r} is neither automatic nor never", hint="give one of them"
    )


def _absolute(path: str, caller_directory: Path) -> Path:
    return Path(os.path.normpath(caller_directory / os.path.expanduser(path)))  # noqa: PTH111 - Path raises for ~nobody
