"""Writing the files of a proposal: nothing that is there is ever overwritten."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from projrun.errors import RequestError


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Write files in their order, all or none. Raises RequestError where one is there, or cannot be written."""
    written: list[Path] = []
    try:
        for name, text in files.items():
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            written.append(folder / name)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise RequestError(
            f"cannot write {folder / name}: {error.strerror}", hint="nothing was written"
        ) from None
