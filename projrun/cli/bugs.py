"""The report of a bug in projrun: a file that can be attached to an issue."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from pathlib import Path

from projrun.cli.rendering import visible
from projrun.credentials import without_credentials
from projrun.version import __version__


def write_report(bug: Exception) -> str:
    """Write the traceback, without local values and credentials, to a file; return its path for people."""
    system = f"projrun {__version__}, Python {platform.python_version()}, {platform.platform()}"
    text = visible(without_credentials("\n".join((system, *traceback.format_exception(bug)))))
    try:
        descriptor, name = tempfile.mkstemp(prefix="projrun-bug-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return text
    return f"please report it with the file {Path(name)}"
