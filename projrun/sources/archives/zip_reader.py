"""Members of a zip archive."""

from __future__ import annotations

import calendar
import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import IO, BinaryIO, cast

from projrun.sources.archives.errors import UnpackError, damaged, refused
from projrun.sources.archives.limits import Limits
from projrun.sources.archives.members import Member

FAILURES = (
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
)
"""What zipfile raises for damaged archives, or for those that it cannot read."""
_ENCRYPTED = 0x1
_LONGEST_TARGET = 4096


def read_zip(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    """Each member in the order of the archive's directory. Raises UnpackError."""
    bounded = cast(IO[bytes], _Bounded(file, limits.directory))
    with zipfile.ZipFile(bounded) as archive:
        for info in archive.infolist():
            yield _member(archive, info)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    name = info.orig_filename  # zipfile's own ends at a NUL
    if info.flag_bits & _ENCRYPTED:
        raise refused(name, "is encrypted", hint="pack it again without a password")
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFDIR or name.endswith("/"):
        return Member(name, "folder")
    content = partial(_open, archive, info)
    if kind == stat.S_IFLNK:
        return Member(name, "link", target=_target(name, content()))
    if kind not in (0, stat.S_IFREG):
        raise refused(name, "is not a file, folder or link")
    return Member(name, "file", content, executable=bool(mode & stat.S_IXUSR), modified=_modified(info))


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(info)
    except (NotImplementedError, RuntimeError) as error:
        why = str(error).replace("\n", " ") or "its compression method is unknown"
        raise refused(info.orig_filename, f"cannot be read: {why}") from None


def _target(name: str, content: IO[bytes]) -> str:
    with content:
        target = content.read(_LONGEST_TARGET + 1)
    if len(target) > _LONGEST_TARGET:
        raise refused(name, "is a link whose target is too long")
    return target.decode("utf-8", "surrogateescape")


def _modified(info: zipfile.ZipInfo) -> float | None:
    """A zip says the time of no time zone: UTC is as good as any, and the same everywhere."""
    try:
        return float(calendar.timegm((*info.date_time, 0, 0, 0)))
    except (ValueError, OverflowError):
        return None


class _Bounded(io.RawIOBase):
    """A file of which no great piece is read at once: zipfile reads the whole directory so, by its claimed size."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most
        self._size = file.seek(0, io.SEEK_END)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and not 0 <= offset <= self._size:
            raise damaged("a member is outside it")
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        piece = self._file.read(self._most + 1 if size is None or size < 0 else min(size, self._most + 1))
        if len(piece) > self._most:
            raise UnpackError("is refused: its list of members is too long")
        return piece
