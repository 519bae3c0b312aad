"""How large an archive may be, counted from the actual content and not from its headers."""

from __future__ import annotations

from typing import NamedTuple

from projrun.sources.archives.errors import UnpackError

_MIB = 1 << 20


class Limits(NamedTuple):
    """Generous for projects, small for bombs."""

    download: int = 10 * 1024 * _MIB
    """Bytes of a fetched archive."""
    seconds: float = 1800.0
    """For a whole download: a server that trickles would hold a run up for ever."""
    unpacked: int = 10 * 1024 * _MIB
    """Bytes of all that is unpacked."""
    entries: int = 100_000
    """Files, folders and links, those that no member names included."""
    ratio: int = 200
    """How many times its own size an archive may unpack to ..."""
    free: int = 64 * _MIB
    """... beyond this many bytes: small archives of empty tables are fine."""
    directory: int = 32 * _MIB
    """Bytes of a zip's list of members, which is held in memory."""
    header: int = _MIB
    """Bytes between two members of a tar: long names and other headers, which are held in memory."""


LIMITS = Limits()


class Meter:
    """Counts bytes that one archive unpacks to."""

    def __init__(self, limits: Limits, archive_size: int) -> None:
        by_ratio = max(limits.free, limits.ratio * archive_size)
        self._most = min(limits.unpacked, by_ratio)
        self._rule = f"{limits.ratio} times its own size" if by_ratio < limits.unpacked else _size(self._most)
        self.total = 0

    def count(self, size: int) -> None:
        """Raises UnpackError when it becomes too much."""
        self.total += size
        if self.total > self._most:
            raise UnpackError(
                f"is refused: it unpacks to more than {self._rule}",
                hint="if you trust it, unpack it yourself and give the folder",
            )


def _size(size: int) -> str:
    return f"{size / (1024 * _MIB):g} GiB" if size >= 1024 * _MIB else f"{size} bytes"
