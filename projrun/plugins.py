"""Plug-ins by name: built-ins from a table; entry points are scanned only on a miss (35 ms of imports)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from projrun.errors import RequestError


class BuiltIns(Protocol):
    """The table of built-in names: `projrun_backends/builtins.py`, which the core never imports statically."""

    ENVIRONMENTS: Mapping[str, str]
    """Environment managers by name, as `module:attribute`."""
    PREFERRED_ENVIRONMENTS: tuple[str, ...]
    EXISTING_ENVIRONMENT: str
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
    `group` is the entry-point group of third parties. Raises RequestError for an unknown name.
    """
    target = built_ins.get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)
    return _load_entry_point(kind, name, built_ins, group)


def _load_entry_point(kind: str, name: str, built_ins: Mapping[str, str], group: str) -> Any:
    from importlib.metadata import entry_points

    offered = {entry.name: entry for entry in entry_points(group=group)}
    if name in offered:
        return offered[name].load()
    from projrun.suggestions import did_you_mean

    names = sorted({*built_ins, *offered})
    raise RequestError(
        f"unknown {kind} {name!r}{did_you_mean(name, names)}", hint=f"one of: {', '.join(names)}"
    )


def entry_point_names(group: str) -> list[str]:
    """The names that other packages register in a group, sorted; a scan of what is installed (35 ms)."""
    from importlib.metadata import entry_points

    return sorted({entry.name for entry in entry_points(group=group)})
