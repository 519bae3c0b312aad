"""Members of a tar archive, plain or compressed, read as a stream."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

from projrun.sources.archives.contents import Contents
from projrun.sources.archives.errors import UnpackError, damaged, no_files, refused
from projrun.sources.archives.limits import Limits, Meter
from projrun.sources.archives.members import Member

FAILURES = (
    tarfile.TarError,
    EOFError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    ValueError,
    RecursionError,
)
"""What tarfile and the decompressors raise for damaged archives."""
_CHUNK = 256 * 1024


def read_tar(file: BinaryIO, compression: Contents, limits: Limits, meter: Meter) -> Iterator[Member]:
    """Each member in the order of the archive; `meter` counts the stream itself. Raises UnpackError.

    tarfile's own decompression is not used: it takes a stream that breaks off for one that ends (Python 3.11).
    """
    stream = _Stream(_decompressed(file, compression), meter)
    stream.allow(limits.header)
    with tarfile.open(
        fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=_Header, encoding="utf-8"
    ) as archive:
        while (info := archive.next()) is not None:
            stream.allow(None)
            content = archive.extractfile(info) if info.isreg() else None
            yield _member(info, content)
            if content is not None and not content.closed:  # left out
                _drain(content)
            _forget(archive, limits)
            stream.allow(limits.header)
    stream.allow(None)
    _drain(stream)  # the checksum of a compressed stream is at its very end


def _decompressed(file: BinaryIO, compression: Contents) -> IO[bytes]:
    if compression == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file, mode="rb"))
    if compression == "bzip2":
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if compression == "xz" else file


def _member(info: tarfile.TarInfo, content: IO[bytes] | None) -> Member:
    if content is not None:
        executable = bool(info.mode & stat.S_IXUSR)
        return Member(info.name, "file", lambda: content, executable=executable, modified=info.mtime)
    if info.isdir():
        return Member(info.name, "folder")
    if info.issym():
        return Member(info.name, "link", target=info.linkname)
    if info.islnk():
        return Member(info.name, "copy", target=info.linkname)
    raise refused(info.name, "is not a file, folder or link")


def _drain(content: IO[bytes] | _Stream) -> None:
    while content.read(_CHUNK):
        pass


def _forget(archive: tarfile.TarFile, limits: Limits) -> None:
    """tarfile remembers each member, and adds up what headers say for all that follow."""
    archive.members = []  # type: ignore[attr-defined]
    if sum(len(key) + len(str(value)) for key, value in archive.pax_headers.items()) > limits.header:
        raise _long_headers()


def _long_headers() -> UnpackError:
    return UnpackError("is refused: the headers of its members are too long")


class _Header(tarfile.TarInfo):
    """A member's header; for tarfile a truncated or invalid header is the end, not an error."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            if archive.offset == 0:  # Python 3.10 trips over it
                raise no_files() from None
            raise
        except tarfile.HeaderError as error:
            if archive.offset == 0:
                raise UnpackError("is not a tar archive") from None
            raise damaged(str(error) or "it ends too early") from None


class _Stream:
    """What is read of the decompressed archive, counted; and how much of it the next header may be."""

    def __init__(self, stream: IO[bytes], meter: Meter) -> None:
        self._stream = stream
        self._meter = meter
        self._most: int | None = None

    def allow(self, most: int | None) -> None:
        """How many bytes may be read until the next call; None for any number."""
        self._most = most

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._meter.count(len(piece))
        if self._most is not None:
            self._most -= len(piece)
            if self._most < 0:
                raise _long_headers()
        return piece
