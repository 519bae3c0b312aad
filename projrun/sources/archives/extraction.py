"""Unpacking an archive into a new folder: nothing is ever written outside it, or through a link."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from projrun.sources.archives.contents import contents_of
from projrun.sources.archives.errors import UnpackError, damaged, no_files, quoted, refused
from projrun.sources.archives.limits import Limits, Meter
from projrun.sources.archives.links import check_links
from projrun.sources.archives.members import Member, MemberKind
from projrun.sources.archives.names import Parts, is_left_out, is_repository, parse_name
from projrun.sources.archives.tar_reader import FAILURES as TAR_FAILURES
from projrun.sources.archives.tar_reader import read_tar
from projrun.sources.archives.zip_reader import FAILURES as ZIP_FAILURES
from projrun.sources.archives.zip_reader import read_zip
from projrun.sources.places import TOP

_CHUNK = 256 * 1024
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def unpack(file: BinaryIO, name: str, tree: Path, limits: Limits) -> tuple[str, ...]:
    """Unpack into `tree`, which must not exist, with a single top folder stripped; what was skipped, in words.

    The name of that folder is in the file `TOP` beside `tree`.

    `file` can be sought in; `name` says the kind of archive. Files belong to the caller, are executable where
    their owner could execute them, and others may not write to them. Raises UnpackError, and OSError where
    `tree` cannot be written; then discard what was written.
    """
    size = file.seek(0, os.SEEK_END)
    whole = tree.with_name(f"{tree.name}.whole")
    whole.mkdir(0o755)
    unpacking = _Unpacking(whole, limits, Meter(limits, size))
    try:
        for member in _members(file, name, limits, size):
            unpacking.add(member)
    except (*ZIP_FAILURES, *TAR_FAILURES) as error:
        raise damaged(_reason(error)) from None
    except OSError as error:
        if error.errno is None:  # the decompressors' way of saying that data make no sense
            raise damaged(_reason(error)) from None
        raise
    except MemoryError:
        raise UnpackError("is refused: it needs more memory than available") from None
    unpacking.finish(tree)
    return unpacking.left_out()


def _members(file: BinaryIO, name: str, limits: Limits, size: int) -> Iterator[Member]:
    contents = contents_of(file, name)
    if contents == "zip":
        return read_zip(file, limits)
    return read_tar(file, contents, limits, Meter(limits, size))


def _reason(error: Exception) -> str:
    line = " ".join(str(error).split())[:200]
    return line if line and line.isprintable() else type(error).__name__


@contextmanager
def _new_place(name: str) -> Iterator[None]:
    """What a file system can say of a name, as an error of the member that has it."""
    try:
        yield
    except FileExistsError:
        raise refused(name, "occurs twice, as this file system sees names") from None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            raise refused(name, "has a name that this file system cannot keep") from None
        raise


class _Unpacking:
    """Where each member is written, and what exists already."""

    def __init__(self, folder: Path, limits: Limits, meter: Meter) -> None:
        self._folder = folder
        self._limits = limits
        self._meter = meter
        self._kinds: dict[Parts, MemberKind] = {}
        self._links: dict[Parts, str] = {}
        self._members = 0
        self._repositories = False

    def add(self, member: Member) -> None:
        """Write one member; a link is only noted, so that nothing can be written through it."""
        self._members += 1
        self._check_count(self._members)
        parts = parse_name(member.name)
        if is_left_out(parts):
            self._repositories = self._repositories or is_repository(parts)
            return
        if member.kind == "folder":
            self._add_folders(parts, member.name)
            return
        if not parts or member.name.endswith("/"):
            raise refused(member.name, "is a file or a link with the name of a folder")
        self._add_folders(parts[:-1], member.name)
        if parts in self._kinds:
            raise refused(member.name, "occurs twice")
        self._claim(parts, member.kind)
        if member.kind == "link":
            self._links[parts] = member.target
        elif member.kind == "copy":
            self._copy(member, parts)
        elif member.open is not None:
            with member.open() as content:
                self._write(content, parts, member)

    def finish(self, tree: Path) -> None:
        """Strip a single top folder, move the tree to its place, and create the links."""
        if not self._kinds:
            raise no_files()
        tops = {parts[0] for parts in self._kinds}
        top = tops.pop() if len(tops) == 1 else ""
        stripped = 1 if self._kinds.get((top,)) == "folder" else 0
        links = {parts[stripped:]: target for parts, target in self._links.items()}
        check_links(links)
        if stripped:
            tree.with_name(TOP).write_bytes(os.fsencode(top))
            (self._folder / top).rename(tree)
            self._folder.rmdir()
        else:
            self._folder.rename(tree)
        for parts, target in links.items():
            with _new_place("/".join(parts)):
                tree.joinpath(*parts).symlink_to(target)

    def left_out(self) -> tuple[str, ...]:
        """What was skipped, one line each."""
        return (
            "its .git is skipped: a repository in an archive could make git run programs",
        ) * self._repositories

    def _add_folders(self, parts: Parts, name: str) -> None:
        """A folder and its parents."""
        for depth in range(1, len(parts) + 1):
            part = parts[:depth]
            known = self._kinds.get(part)
            if known is None:
                self._claim(part, "folder")
                with _new_place(name):
                    self._place(part).mkdir(0o755)
            elif known != "folder":
                raise refused(name, "is in, or is, a folder that is also a file or a link")

    def _claim(self, parts: Parts, kind: MemberKind) -> None:
        self._kinds[parts] = kind
        self._check_count(len(self._kinds))

    def _check_count(self, count: int) -> None:
        if count > self._limits.entries:
            raise UnpackError(f"is refused: it contains more than {self._limits.entries:,} files and folders")

    def _copy(self, member: Member, parts: Parts) -> None:
        """A hard link: a file of its own, since one name's content must not change with another's."""
        original = parse_name(member.target)
        if self._kinds.get(original) not in ("file", "copy") or original == parts:
            raise refused(
                member.name,
                f"is a hard link to {quoted(member.target)}, which is not an earlier file of the archive",
            )
        with self._place(original).open("rb") as content:
            status = os.fstat(content.fileno())
            self._write(
                content,
                parts,
                member._replace(executable=bool(status.st_mode & 0o100), modified=status.st_mtime),
            )

    def _write(self, content: IO[bytes], parts: Parts, member: Member) -> None:
        place = self._place(parts)
        with _new_place(member.name):
            descriptor = os.open(place, _NEW_FILE, 0o755 if member.executable else 0o644)
        with os.fdopen(descriptor, "wb") as file:
            while chunk := content.read(_CHUNK):
                self._meter.count(len(chunk))
                file.write(chunk)
        if member.modified is not None and 0 <= member.modified <= time.time():
            os.utime(place, (member.modified, member.modified))

    def _place(self, parts: Parts) -> Path:
        return self._folder.joinpath(*parts)
