"""What a store keeps beside runs: each contract is a part of it, imported when it is asked for.

    part_of(store, ModelRegistry).create_registered_model("wine")

A store of another package may fulfil a contract itself, or have a method `part(contract)`, as ours have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeVar, cast

from projrun.errors import TrackingError
from projrun.tracking.runs import RunStore

Part = TypeVar("Part")
_FULFILLED: dict[tuple[type, type], bool] = {}


class NotKeptError(TrackingError):
    """The store does not keep what is asked for."""


def part_of(store: RunStore, contract: type[Part]) -> Part:
    """The part of a store that fulfils a contract. Raises NotKeptError where it has none."""
    part = find_part(store, contract)
    if part is None:
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", contract.__name__).lower()
        raise NotKeptError(f"the store {store.uri} has no {words}")
    return part


def find_part(store: RunStore, contract: type[Part]) -> Part | None:
    """As `part_of`; None where it has none."""
    if fulfils(store, contract):
        return cast(Part, store)
    opener = getattr(store, "part", None)
    return None if opener is None else opener(contract)


def fulfils(thing: object, contract: type) -> bool:
    """As `isinstance`, which takes a tenth of a millisecond to look for every member of a contract, once a class."""
    key = (type(thing), contract)
    if key not in _FULFILLED:
        _FULFILLED[key] = isinstance(thing, contract)
    return _FULFILLED[key]


def open_part(parts: Mapping[str, str], contract: type[Part], *needed: Any) -> Part | None:
    """A part by a store's table: `{"ModelRegistry": "module:Class"}`; the class is given what it needs."""
    place = parts.get(contract.__name__)
    if place is None:
        return None
    module, _, name = place.partition(":")
    part: Part = getattr(import_module(module), name)(*needed)
    return part
