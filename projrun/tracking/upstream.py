"""`Upstream`: a tracking server as a whole, for an endpoint that passes requests on to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol


class Passed(NamedTuple):
    """An answer of the server: its body as it comes, not decoded."""

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: Iterator[bytes]


class Upstream(Protocol):
    """The server. Used by many threads at a time."""

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Iterable[bytes]
    ) -> Passed:
        """Its answer, whatever its status. Raises TrackingError where there is none."""
        ...
