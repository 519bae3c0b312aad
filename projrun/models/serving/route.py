"""What is at an address of a scoring server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope

from projrun.models.serving.answers import Answer
from projrun.tuples import NamedTuple

Respond = Callable[[Scope, Receive], Awaitable[Answer | None]]
"""Gives None where the client has gone."""


class Route(NamedTuple):
    """What is at an address."""

    method: str
    respond: Respond
