"""The text of a project's files, and the places in it; needs no YAML parser."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.files import is_inside
from projrun.project.model import Location
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

LARGEST_FILE = 1 << 20  # as in `bounded`, which the hot path does not import
LINE_BREAK = (
    "\r\n|[\n\r\x85\u2028\u2029]"  # not compiled at import; YAML 1.1, section 4.1.5: what libyaml counts
)
_EXCERPT_WIDTH = 100
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks (YAML 1.2, section 5.2), the longer ones first, and what they say."""


class LocatedError(RequestError):
    """A mistake in a file, at a place: `MLproject:7:13: …` with the source line as detail."""

    def __init__(
        self,
        location: Location,
        problem: str,
        *,
        hint: str = "",
        detail: str = "",
        code: str = "invalid-yaml",
    ) -> None:
        super().__init__(f"{location}: {problem}", hint=hint, detail=detail)
        self.location = location
        self.problem = problem
        self.code = code


def read_text(path: Path, name: str, largest: int = LARGEST_FILE) -> str:
    """The text of a file as `decode` reads it; RequestError where it is none, or over `largest` bytes."""
    from projrun.bounded import read_file  # an unchanged project is not read again

    try:
        data = read_file(path, largest)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise RequestError(f"{name} is {error.strerror}", hint="is it the right file?") from None
        raise RequestError(f"cannot read {name}: {error.strerror or error}") from error
    except ValueError:
        raise RequestError(f"cannot read {name!r}: not a path") from None
    return decode(name, data)


def decode(name: str, data: bytes) -> str:
    """Bytes as UTF-8, or as a byte order mark says (Windows shells write UTF-16); RequestError at a wrong byte."""
    encoding = next((word for mark, word in _MARKS if data.startswith(mark)), "utf-8-sig")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "ignore")
        raise LocatedError(
            location_at(name, before, len(before)),
            f"byte 0x{data[error.start]:02x} is not {encoding.upper().removesuffix('-SIG')} text",
            hint="save the file as UTF-8",
            code="not-utf-8",
        ) from None


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML text; ValueError says where it is wrong."""
    from projrun import bounded

    return bounded.parse_toml(text)


def excerpt(text: str, location: Location) -> str:
    """The source line of a place, control characters blanked, with a caret below; "" where there is none."""
    lines = re.split(LINE_BREAK, text, maxsplit=location.line)
    if not 0 < location.line <= len(lines):
        return ""
    column = location.column - 1
    start = max(0, column - _EXCERPT_WIDTH * 3 // 4)
    shown = lines[location.line - 1][start : start + _EXCERPT_WIDTH]
    shown = "".join(character if character.isprintable() else " " for character in shown)
    if not shown.strip():
        return ""
    return f"{shown.rstrip()}\n{' ' * (column - start)}^"


def is_of_project(path: Path, name: str) -> bool:
    """Whether a file, which messages call `name`, is where that says: a project may name or link any file of the user.

    The lines of others are not shown, since they may be anything.
    """
    parts = Path(name).parts
    if not 0 < len(parts) <= len(path.parents) or Path(name).is_absolute() or ".." in parts:
        return False
    return is_inside(path.parents[len(parts) - 1], path)


def excerpt_of_file(path: Path | None, location: Location | None) -> str:
    """As `excerpt`, from a file that was read before; "" when it has gone."""
    if path is None or location is None or not is_of_project(path, location.file):
        return ""
    try:
        return excerpt(read_text(path, location.file), location)
    except RequestError:
        return ""


def find_text(path: Path | None, start: Location | None, wanted: str, skipped: int = 0) -> Location | None:
    """A place of `wanted` in a file, at or after `start`, after `skipped` others; `start` when it is not found."""
    if path is None or start is None:
        return start
    try:
        text = read_text(path, start.file)
    except RequestError:
        return start
    found = text.find(wanted, _offset_of(text, start))
    for _ in range(skipped):
        found = text.find(wanted, found + 1) if found >= 0 else found
    return start if found < 0 else location_at(start.file, text, found)


def location_at(name: str, text: str, offset: int) -> Location:
    """The line and column of an offset."""
    before = re.split(LINE_BREAK, text[:offset])
    return Location(name, len(before), len(before[-1]) + 1)


def _offset_of(text: str, location: Location) -> int:
    offset = 0
    line_break = re.compile(LINE_BREAK)
    for _ in range(location.line - 1):
        found = line_break.search(text, offset)
        if found is None:
            return offset
        offset = found.end()
    return offset + location.column - 1
