"""Plug-ins by name: built-ins from a table; entry points are scanned only on a miss (35 ms of imports)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from projrun.errors import RequestError


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
