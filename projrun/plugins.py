"""Plug-ins by name: built-ins from a table; those of other packages are `projrun.foreign`'s, found on a miss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from projrun.errors import PluginError
from projrun.typed import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from typing import Any

    from projrun.foreign import Origin, Results


class BuiltIns(Protocol):
    """The table of built-in names: `projrun_backends/builtins.py`, which the core never imports statically."""

    ENVIRONMENTS: Mapping[str, str]
    """Environment managers by name, as `module:attribute`."""
    PREFERRED_ENVIRONMENTS: tuple[str, ...]
    CHOOSING_OPTIONS: Mapping[str, str]
    """Options that choose a manager, and which."""
    ENVIRONMENT_OPTIONS: Mapping[str, str]
    """For each option that only one manager takes, the record that it is read into, as `module:attribute`. It has
    what `TakesOptions` says, a class method `read`, and may have the property `idle`: the warning where the option is
    given but another manager is chosen.
    """
    KEPT: Mapping[str, str]
    """For each kind of thing that managers keep outside of the caches' folders, its keeper, as `module:attribute`."""
    LISTS: Mapping[str, str]
    CALLER_ENVIRONMENT: str
    BACKENDS: Mapping[str, str]
    """Execution backends by name, as `module:attribute`."""
    DEFAULT_BACKEND: str


def built_ins() -> BuiltIns:
    """The table; imported at the first call."""
    return cast(BuiltIns, import_module("projrun_backends.builtins"))


def load_plugin(kind: str, name: str, built_ins: Mapping[str, str], group: str) -> Any:
    """The object of a plug-in's name.

    `kind` is the word for people ("environment manager"), `built_ins` maps names to `module:attribute`,
    `group` is the entry-point group of third parties. Raises RequestError for an unknown name, PluginError for
    a third party's that cannot be loaded.
    """
    target = built_ins.get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)
    from projrun.foreign import load_entry_point

    return load_entry_point(kind, name, built_ins, group)


def create_plugin(
    kind: str,
    name: str,
    built_ins: Mapping[str, str],
    group: str,
    contract: type,
    results: Callable[[], Results] = dict,
) -> Any:
    """An instance of a plug-in's class, which takes no argument.

    A third party's is checked against `contract`, a Protocol, and reports its faults as its own (PluginError):
    whatever one of its methods raises that is no ProjrunError, and what `results` finds wrong with what a method
    of that name returned.
    """
    if name in built_ins:
        return load_plugin(kind, name, built_ins, group)()
    from projrun.foreign import create_entry_point

    return create_entry_point(kind, name, built_ins, group, contract, results())


def fault_of(plugin: object, what: str) -> PluginError:
    """The error that says what is wrong with a plug-in that `create_plugin` made."""
    origin: Origin | None = getattr(type(plugin), "_origin", None)
    return origin.fault(what) if origin else PluginError(f"{type(plugin).__name__}: {what}")


def is_offered(name: str, group: str) -> bool:
    """Whether an installed package registers the name; loads nothing of it."""
    from projrun.foreign import offered

    return name in offered(group, name)


def entry_point_names(group: str) -> list[str]:
    """The names that other packages register in a group, sorted; a scan of what is installed (35 ms)."""
    from projrun.foreign import offered

    return sorted(offered(group))
