"""Names of an archive's members, which are hostile input, as places below the folder that it is unpacked into."""

from __future__ import annotations

import os
import re
import unicodedata

from projrun.sources.archives.errors import UnpackError, refused

Parts = tuple[str, ...]
"""A place below the top; empty for the top itself."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST_PART = 255
_LONGEST_NAME = 1024
_DEEPEST = 100
"""Folders in folders; what removes trees goes down one call each."""
_REPACK = "pack it again with a tool that writes names with '/', relative to the archive's top"


def parse_name(name: str) -> Parts:
    """The place that a member's name means. Raises UnpackError for one that leads out or is invalid."""
    if not name:
        raise UnpackError("is refused: it has a member without a name")
    if _CONTROL.search(name):
        raise refused(name, "has control characters in its name")
    if "\\" in name:
        raise refused(name, "has a backslash in its name", hint=_REPACK)
    if name.startswith("/") or _DRIVE.match(name):
        raise refused(name, "has an absolute name", hint=_REPACK)
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise refused(name, "leads out of the archive by '..'", hint=_REPACK)
    sizes = [len(os.fsencode(part)) for part in parts]
    if (
        len(parts) > _DEEPEST
        or sum(sizes) + len(parts) > _LONGEST_NAME
        or max(sizes, default=0) > _LONGEST_PART
    ):
        raise refused(name, "has a name that is too long")
    return parts


def folded(parts: Parts) -> Parts:
    """The same for names that some file system takes for one: in case, in Unicode form, in characters not seen."""
    return tuple(_folded(part) for part in parts)


def is_left_out(parts: Parts) -> bool:
    """What packing on macOS adds, and any `.git`: the settings of a repository can name programs that git runs."""
    if not parts:
        return False
    return parts[0] == "__MACOSX" or (len(parts) == 1 and parts[0].startswith("._")) or is_repository(parts)


def is_repository(parts: Parts) -> bool:
    """Whether it is in a `.git`, under any name that file systems accept for it (CVE-2014-9390)."""
    return any(_folded(part).rstrip(" .") in (".git", "git~1") for part in parts)


def _folded(part: str) -> str:
    if part.isascii():
        return part.lower()
    seen = "".join(character for character in part if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen).casefold())
