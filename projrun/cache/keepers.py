"""What the built-in environment managers keep outside of the caches' folders, in another program's care."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

from projrun.cache.contents import Item
from projrun.plugins import built_ins

Warn = Callable[[str], None]


class Keeper(Protocol):
    """One kind of it. Made with the root of the cache, and the caller's environment."""

    def items(self, warn: Warn) -> Sequence[Item]:
        """All of it, each with the fact `kind`; says what cannot be looked at."""
        ...

    def remove(self, item: Item) -> bool:
        """False where something uses it, or it cannot be removed."""
        ...


def keepers(cache: Path, environ: Mapping[str, str]) -> dict[str, Keeper]:
    """Those of the managers that have some, by the kind of what they keep."""
    found = dict[str, Keeper]()
    for kind, target in built_ins().KEPT.items():
        module, _, name = target.partition(":")
        found[kind] = getattr(import_module(module), name)(cache, environ)
    return found
