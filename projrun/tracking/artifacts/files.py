"""Files that appear whole or not at all: written beside their place, then renamed. On the hot path."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from projrun.tracking.artifacts.paths import partial_name

CHUNK = 1024 * 1024


def write_whole(chunks: Iterable[bytes], place: Path) -> None:
    """Write a file at `place`, replacing an old one only when all of it has arrived."""
    place.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its import costs the hot path more than the copy does.
    partial = place.parent / partial_name()
    try:
        with partial.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
        partial.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def copy_whole(source: Path, place: Path) -> None:
    """Copy a file's bytes to `place`, whole or not at all."""
    write_whole(chunks_of(source), place)


def chunks_of(source: Path) -> Iterator[bytes]:
    """A file's bytes, a megabyte at a time."""
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
