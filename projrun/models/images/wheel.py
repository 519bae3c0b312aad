"""The running projrun as a wheel, so that an image has exactly this version, released or not."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_NAME = "projrun"
_WHEEL = "Wheel-Version: 1.0\nGenerator: projrun\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path) -> Path:
    """The wheel, in a folder: the same bytes for the same files, so that Docker's cache knows it."""
    found = distribution(_NAME)
    info = f"{_NAME}-{found.version}.dist-info"
    wheel = folder / f"{_NAME}-{found.version}-py3-none-any.whl"
    record = []
    with ZipFile(wheel, "w", ZIP_DEFLATED) as archive:
        for name, data in (*_modules(found), *_metadata(found, info)):
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
            _add(archive, name, data)
        _add(archive, f"{info}/RECORD", "".join([*record, f"{info}/RECORD,,\n"]).encode())
    return wheel


def _add(archive: ZipFile, name: str, data: bytes) -> None:
    entry = ZipInfo(name)  # of 1980
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)


def _modules(found: Distribution) -> Iterator[tuple[str, bytes]]:
    """All files of the packages that the distribution's entry points are in."""
    for name in sorted({entry.value.partition(":")[0].partition(".")[0] for entry in found.entry_points}):
        spec = find_spec(name)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            root = Path(place)
            for file in sorted(root.rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    yield f"{name}/{file.relative_to(root).as_posix()}", file.read_bytes()


def _metadata(found: Distribution, info: str) -> Iterator[tuple[str, bytes]]:
    for name in ("METADATA", "entry_points.txt"):
        text = found.read_text(name)
        if text:
            yield f"{info}/{name}", text.encode()
    yield f"{info}/WHEEL", _WHEEL.encode()
