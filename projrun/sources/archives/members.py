"""What an archive of any kind holds, as its reader hands it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Literal, NamedTuple

MemberKind = Literal["file", "folder", "link", "copy"]


class Member(NamedTuple):
    """One member; its name and target are hostile input."""

    name: str
    kind: MemberKind
    open: Callable[[], IO[bytes]] | None = None
    """A file's content: valid until the next member is asked for."""
    target: str = ""
    """Where a symbolic link leads, or the name of the earlier member that this one is a copy of (a hard link)."""
    executable: bool = False
    modified: float | None = None
    """Seconds since the epoch, as claimed."""
