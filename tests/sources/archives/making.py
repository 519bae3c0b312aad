"""Archives made for real, member by member, hostile ones too."""

from __future__ import annotations

import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal[
    "file", "folder", "link", "copy", "fifo", "character device", "block device", "socket", "other"
]

_TAR_TYPES = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "copy": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "other": b"V",
}
_ZIP_TYPES = {
    "file": stat.S_IFREG,
    "folder": stat.S_IFDIR,
    "link": stat.S_IFLNK,
    "fifo": stat.S_IFIFO,
    "character device": stat.S_IFCHR,
    "block device": stat.S_IFBLK,
    "socket": stat.S_IFSOCK,
}
MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}
ENDINGS = (".zip", *MODES)


class Item(NamedTuple):
    """A member to be."""

    name: str
    content: bytes = b"content"
    kind: Kind = "file"
    target: str = ""
    mode: int = 0o644
    modified: float = 1_000_000_000


def archive(ending: str, items: Iterable[Item | str]) -> bytes:
    """An archive of the kind that a name's ending says; a text is a file of that name, or a folder."""
    members = [_folder_or_file(item) if isinstance(item, str) else item for item in items]
    return zipped(members) if ending == ".zip" else tarred(members, ending)


def zipped(items: Iterable[Item], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with each item as it is, names unchecked."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compression) as made:
        warnings.simplefilter("ignore", UserWarning)  # of names that are there twice
        for item in items:
            made.writestr(_zip_info(item, compression), item.target if item.kind == "link" else item.content)
    return file.getvalue()


def tarred(items: Iterable[Item], ending: str = ".tar") -> bytes:
    """A tar with each item as it is, names unchecked."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=MODES[ending]) as made:  # type: ignore[call-overload]
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.type = _TAR_TYPES[item.kind]
            info.mode, info.mtime, info.linkname = item.mode, item.modified, item.target
            info.size = len(item.content) if item.kind == "file" else 0
            made.addfile(info, io.BytesIO(item.content) if item.kind == "file" else None)
    return file.getvalue()


def files_of(tree: Path) -> dict[str, str]:
    """What a tree holds: each file's content, each link's target, each folder."""
    return {str(path.relative_to(tree)): _shown(path) for path in sorted(tree.rglob("*"))}


def _shown(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return "/" if path.is_dir() else path.read_bytes().decode("utf-8", "backslashreplace")


def _folder_or_file(name: str) -> Item:
    return Item(name, kind="folder") if name.endswith("/") else Item(name)


def _zip_info(item: Item, compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("placeholder", (2001, 9, 9, 1, 46, 40))
    info.filename = info.orig_filename = item.name  # what ZipInfo would take away stays
    info.compress_type = compression
    info.external_attr = (_ZIP_TYPES[item.kind] | item.mode) << 16
    return info
