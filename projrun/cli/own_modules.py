"""Finds projrun's own modules for the command line, in half the time of Python's general search.

That looks for each module as an extension, as a package and as a file, builds a dozen paths and asks for the file's
time twice: 40 µs for each of the hundred modules of a run. This one knows where they are. What it does not understand
(an archive, another place or kind of bytecode, bytecode that is not up to date) is left to the general search.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from importlib._bootstrap_external import MAGIC_NUMBER  # `importlib.util` takes longer
from importlib.machinery import ModuleSpec, SourceFileLoader
from io import open_code
from types import CodeType

TYPE_CHECKING = False  # as in `typing`
if TYPE_CHECKING:
    from collections.abc import Sequence

_OURS = ("projrun.", "projrun_backends.")
_ENDING = f".{sys.implementation.cache_tag}.pyc"
_BY_TIME = MAGIC_NUMBER + bytes(4)
"""How bytecode begins that is compared by the time and the size of its source, which follow."""


class OwnModules:
    """A finder for `sys.meta_path` (PEP 451)."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """The module in its package's folder; None for others'."""
        if path is None or len(path) != 1 or not name.startswith(_OURS):
            return None
        folder, stem = path[0], name.rpartition(".")[2]
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


def find_own_modules() -> None:
    """Look for projrun's modules so from now on, where bytecode lies where it usually does."""
    usual = sys.pycache_prefix is None and not sys.flags.optimize and sys.implementation.cache_tag
    if usual and OwnModules not in sys.meta_path:
        sys.meta_path.insert(0, OwnModules)
