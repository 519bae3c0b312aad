"""The text of a git diff: names as git writes them, sections of one file each, and those of new files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from projrun.sources.changes.sensitive import holds_private_key
from projrun.tuples import NamedTuple

_START = b"diff --git "
_ESCAPES = {7: b"a", 8: b"b", 9: b"t", 10: b"n", 11: b"v", 12: b"f", 13: b"r", 34: b'"', 92: b"\\"}
_LFS = b"version https://git-lfs.github.com/spec/"


class Unfit(Exception):
    """Why a file's changes cannot be part of a patch, in a few words."""


def quoted(name: bytes) -> bytes:
    """A name as git writes it with `core.quotePath`: in quotes, with escapes, where it is not plain ASCII."""
    if all(32 <= byte < 127 and byte not in (34, 92) for byte in name):
        return name
    return _in_quotes(name)


def _in_quotes(name: bytes) -> bytes:
    return b'"' + b"".join(map(_escaped, name)) + b'"'


def _escaped(byte: int) -> bytes:
    if byte in _ESCAPES:
        return b"\\" + _ESCAPES[byte]
    return bytes((byte,)) if 32 <= byte < 127 else b"\\%03o" % byte


def first_line(path: str) -> bytes:
    """The line that a file's section begins with; the path is from the top of the work tree."""
    name = os.fsencode(path)
    return _START + quoted(b"a/" + name) + b" " + quoted(b"b/" + name)


def unmistakable(section: bytes, path: str) -> bytes:
    """The section with its names in quotes where git would have to guess them.

    Where no `---` line names the file (a new mode, an empty file), `git apply` looks for the blank between two
    equal names, and gives up on some that hold blanks themselves.
    """
    if " " not in path or b"\n--- " in section:
        return section
    name = os.fsencode(path)
    line = _START + _in_quotes(b"a/" + name) + b" " + _in_quotes(b"b/" + name)
    return line + section[section.index(b"\n") :]


def sections(diff: bytes, *, whole: bool) -> Iterator[bytes]:
    """The sections of a diff without renames; the last one not where the diff is not `whole`.

    A section that is only its first line is left out: that file was touched, not changed.
    """
    parts = (b"\n" + diff).split(b"\n" + _START)[1:]  # a line of a file's content never starts like this
    for number, part in enumerate(parts, 1):
        if b"\n" in part.rstrip(b"\n"):
            if number < len(parts):
                yield _START + part + b"\n"
            elif whole:
                yield _START + part


def check_section(section: bytes) -> None:
    """Raises Unfit for a section that `git apply` cannot use, or that would show a key."""
    head, _, body = section.partition(b"\n@@ ")
    if b"\nBinary files " in head:
        raise Unfit("binary")
    if any(line.endswith(b" 160000") for line in head.split(b"\n")):
        raise Unfit("a submodule at another commit")
    if any(line[1:].startswith(_LFS) for line in body.split(b"\n", 2)[1:2]):
        raise Unfit("kept by Git LFS")
    if holds_private_key(body):
        raise Unfit("holds a private key")


def new_file(top: Path, path: str, longest: int) -> bytes:
    """The section that makes a file that no commit has, byte for byte; `longest` is in bytes.

    Raises Unfit for one that is binary, larger, or cannot be read.
    """
    try:
        mode, content = _content(top / path, longest)
    except OSError as error:
        raise Unfit(f"cannot be read: {error.strerror}") from None
    if holds_private_key(content):
        raise Unfit("holds a private key")
    name = quoted(b"b/" + os.fsencode(path))
    head = first_line(path) + b"\nnew file mode " + mode + b"\n"
    if not content:
        return unmistakable(head + b"index 0000000..0000000\n", path)  # git apply wants more than a mode
    end = b"\t\n" if b" " in name else b"\n"
    return head + b"--- /dev/null\n+++ " + name + end + _hunk(content)


def _hunk(content: bytes) -> bytes:
    lines = content.split(b"\n")
    complete = lines[-1] == b""
    if complete:
        lines.pop()
    count = b"1" if len(lines) == 1 else b"1,%d" % len(lines)
    text = b"@@ -0,0 +" + count + b" @@\n+" + b"\n+".join(lines) + b"\n"
    return text if complete else text + b"\\ No newline at end of file\n"


class _Content(NamedTuple):
    mode: bytes
    content: bytes


def _content(place: Path, longest: int) -> _Content:
    state = place.lstat()
    if stat.S_ISLNK(state.st_mode):
        return _Content(b"120000", os.fsencode(place.readlink()))
    if not stat.S_ISREG(state.st_mode):
        raise Unfit("not a file")
    if state.st_size > longest:
        raise Unfit("too large")
    with place.open("rb") as stream:
        content = stream.read(8192)
        if b"\0" not in content:
            content += stream.read(longest)
    if b"\0" in content:
        raise Unfit("binary")
    executable = state.st_mode & stat.S_IXUSR
    return _Content(b"100755" if executable else b"100644", content)
