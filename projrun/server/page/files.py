"""The files of the page, read once: compressed once, with an ETag, and what each imports."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from posixpath import dirname, join, normpath

from projrun.tuples import NamedTuple

FOLDER = Path(__file__).with_name("static")

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By suffix; files of other kinds (types, licences) are not sent."""

_IMPORT = re.compile(r"""\b(?:import|export)\b[^;"'()]*?from\s*["'](\.{1,2}/[^"']+)["']""")

_PLACE = re.compile(r"""\bpath: "([^"]+)", load: \(\) => import\("([^"]+)"\)""")
_SHEET = re.compile(r"""\baddSheet\("([^"]+)"\)""")
_REGISTRY = "views/registry.js"


class File(NamedTuple):
    """One file of the page."""

    body: bytes
    zipped: bytes
    media_type: str
    etag: str


class Files:
    """All files of the page, by their path below its folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.files = {
            path.relative_to(folder).as_posix(): new_file(path.read_bytes(), MEDIA_TYPES[path.suffix])
            for path in sorted(folder.rglob("*"))
            if path.suffix in MEDIA_TYPES
        }
        etags = "".join(f"{name}{file.etag}" for name, file in self.files.items())
        self.digest = sha256(etags.encode()).hexdigest()[:16]
        """Changes with any file; it stands in their addresses, so browsers may keep them for ever."""
        self._views = [
            (re.compile(re.sub(r":\w+", "[^/]+", place) + "/?"), join(dirname(_REGISTRY), normpath(module)))
            for place, module in _PLACE.findall(self.files[_REGISTRY].body.decode())
        ]

    def view(self, path: str) -> str | None:
        """The module of what is shown at a path, as the page's own list of places says."""
        return next((module for place, module in self._views if place.fullmatch(path)), None)

    def sheets(self, modules: Iterable[str]) -> list[str]:
        """The style sheets that modules load, each once."""
        found = (sheet for module in modules for sheet in _SHEET.findall(self.files[module].body.decode()))
        return list(dict.fromkeys(found))

    def imported(self, module: str) -> Iterator[str]:
        """The modules that one needs before it runs, directly and by way of others, each once."""
        seen, waiting = {module}, [module]
        while waiting:
            name = waiting.pop()
            for target in _IMPORT.findall(self.files[name].body.decode()):
                other = normpath(join(dirname(name), target))
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
                    yield other


def new_file(body: bytes, media_type: str) -> File:
    """A file with its content compressed."""
    # Without a time, so that the same content has the same bytes.
    return File(body, gzip.compress(body, 9, mtime=0), media_type, f'"{sha256(body).hexdigest()[:24]}"')
