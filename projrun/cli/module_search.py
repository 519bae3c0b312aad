"""Finds modules for the command line in half the time of Python's general search: projrun's own, and Python's.

That looks for each module as an extension, as a package and as a file, in several folders, builds a dozen paths and
asks for the file's time twice: 40 µs for each of the 150 modules of a run. This one knows where they are. What it does
not understand (an archive, another place or kind of bytecode, bytecode that is not up to date, a folder that is
searched before Python's own) is left to the general search.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from importlib._bootstrap_external import MAGIC_NUMBER  # `importlib.util` takes longer
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from io import open_code
from types import CodeType

TYPE_CHECKING = False  # as in `typing`
if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGES = (
    "projrun.", "projrun_backends.",
    "email.", "encodings.", "http.", "json.", "logging.", "re.", "urllib.",
    "requests.", "urllib3.",
)  # fmt: skip
"""Packages whose modules are all files of Python."""
_STANDARD = os.path.dirname(os.__file__)  # noqa: PTH120 - a Path takes longer
_ARCHIVE = f"{os.path.dirname(_STANDARD)}/python{sys.version_info.major}{sys.version_info.minor}.zip"  # noqa: PTH120
_USUAL = [_ARCHIVE, _STANDARD]
"""How the search path begins where nothing is searched before the standard library; the archive seldom exists."""
_ENDING = f".{sys.implementation.cache_tag}.pyc"
_BY_TIME = MAGIC_NUMBER + bytes(4)
"""How bytecode begins that is compared by the time and the size of its source, which follow."""


class ModuleSearch:
    """A finder for `sys.meta_path` (PEP 451)."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """The module in the folder of its package, or of the standard library; None for others'."""
        if path is None:
            if sys.path[:2] != _USUAL or name not in sys.stdlib_module_names:
                return None
            folder = _STANDARD
        elif len(path) == 1 and name.startswith(_PACKAGES):
            folder = path[0]
        else:
            return None
        stem = name.rpartition(".")[2]
        found = _found(name, folder, stem)
        if found is None:
            folder = f"{folder}/{stem}"
            found = _found(name, folder, "__init__")
            if found is not None:
                found.submodule_search_locations = [folder]
        return found


def _found(name: str, folder: str, stem: str) -> ModuleSpec | None:
    file = f"{folder}/{stem}.py"
    try:
        status = os.stat(file)  # noqa: PTH116 - a Path takes as long as the rest
    except OSError:
        return None
    bytecode = f"{folder}/__pycache__/{stem}{_ENDING}"
    spec = ModuleSpec(name, _Loader(name, file, bytecode, status), origin=file)
    spec.has_location = True
    spec.cached = bytecode
    return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, file: str, bytecode: str, status: os.stat_result) -> None:
        super().__init__(name, file)
        self._bytecode = bytecode
        self._header = _BY_TIME + _word(int(status.st_mtime)) + _word(status.st_size)

    def get_code(self, fullname: str) -> CodeType | None:
        """From bytecode as pip writes it; else, and where that is not of this source, in the general way."""
        try:
            with open_code(self._bytecode) as file:
                content = file.read()
            if content.startswith(self._header):
                code = marshal.loads(memoryview(content)[16:])  # noqa: S302 - what Python itself would load
                if isinstance(code, CodeType):
                    _imp._fix_co_filename(code, self.path)  # type: ignore[attr-defined]  # of a folder that was moved
                    return code
        except (OSError, EOFError, ValueError, TypeError):
            pass
        return super().get_code(fullname)


def _word(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def search_quickly() -> None:
    """Look for modules so from now on, where bytecode lies where it usually does."""
    # The folder of the script `projrun` has no modules, and would be asked for every one of Python's.
    if sys.path and sys.argv[:1] == [f"{sys.path[0]}/projrun"]:
        del sys.path[0]
    usual = sys.pycache_prefix is None and not sys.flags.optimize and not os.path.exists(_ARCHIVE)  # noqa: PTH110
    if usual and ModuleSearch not in sys.meta_path and PathFinder in sys.meta_path:
        sys.meta_path.insert(sys.meta_path.index(PathFinder), ModuleSearch)
