"""The kind of a file by its first bytes, and whether its name agrees."""

from __future__ import annotations

from typing import BinaryIO, Literal

from projrun.sources.archives.errors import UnpackError
from projrun.sources.kinds import ARCHIVE_ENDINGS

Contents = Literal["zip", "gzip", "bzip2", "xz", ""]
"""The empty one is a tar that is not compressed."""

_BEGINNINGS: tuple[tuple[bytes, Contents], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # with no member
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_OTHERS = (
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
    (b"version https://git-lfs", "a pointer of Git LFS"),
)


def contents_of(file: BinaryIO, name: str) -> Contents:
    """How to read an archive called `name`, which ends as archives do. Raises UnpackError for something else."""
    file.seek(0)
    beginning = file.read(512)
    file.seek(0)
    found: Contents = next((contents for start, contents in _BEGINNINGS if beginning.startswith(start)), "")
    named_zip = name.lower().endswith(".zip")
    if (found == "zip") == named_zip and not _other(beginning):
        return found
    kind = "a zip archive" if named_zip else "a tar archive"
    what = _other(beginning) or ("it is a zip archive" if found == "zip" else "")
    raise UnpackError(
        f"is not {kind}, as its name says" + (f": {what}" if what else ""), hint=_hint(beginning)
    )


def _other(beginning: bytes) -> str:
    if not beginning:
        return "it is empty"
    if beginning.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page"
    found = next((words for start, words in _OTHERS if beginning.startswith(start)), "")
    return f"it is {found}" if found else ""


def _hint(beginning: bytes) -> str:
    if _other(beginning) == "it is a web page":
        return "check that the URL leads to the archive itself, not to a login page or a page about it"
    return f"projrun reads {', '.join(ARCHIVE_ENDINGS)}"
