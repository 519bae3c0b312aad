"""What a model is called where it is served: by whoever serves it, else by its address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from projrun.errors import RequestError

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)", re.DOTALL)
_REGISTERED = re.compile(r"models:/([^/@]+)(?:/([0-9]+))?(?:[/@].*)?", re.DOTALL)


class NamedUri(NamedTuple):
    """A model's address, and what it is called."""

    name: str
    uri: str


def parse_names(words: Sequence[str]) -> list[NamedUri]:
    """From `URI` and `NAME=URI`. Raises RequestError where two have one name."""
    named = [_parse(word) for word in words]
    names = [each.name for each in named]
    for name in names:
        if names.count(name) > 1:
            raise RequestError(f"two models are called {name!r}", hint="give each a name: -m NAME=URI")
    return named


def _parse(word: str) -> NamedUri:
    match = _NAMED.fullmatch(word)
    return NamedUri(match[1], match[2]) if match else NamedUri(model_name(word), word)


def model_name(uri: str) -> str:
    """The name of a registered model, or the last part of an address."""
    registered = _REGISTERED.fullmatch(uri)
    if registered:
        return registered[1]
    parts = [part for part in re.split(r"[/:#]", uri.partition("?")[0]) if part.strip(".")]
    return parts[-1] if parts else "model"


def model_version(uri: str) -> str:
    """The number of a registered version, where the address has it."""
    registered = _REGISTERED.fullmatch(uri)
    return (registered[2] or "") if registered else ""


def may_move(uri: str) -> bool:
    """Whether an address has an alias or a stage, which may lead to another version later."""
    return re.fullmatch(r"models:/[^/@]+(?:@.+|/(?![0-9]+(?:/|$)).+)", uri, re.DOTALL) is not None


def model_path(name: str) -> str:
    """Where a model is on a server, as it is written in a URL."""
    return f"/models/{quote(name, safe='', errors='replace')}"
