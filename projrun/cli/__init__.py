"""The command line: one module per command, imported when it is used."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """The `projrun` command: never returns, exits with the codes of `projrun.errors`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words in (["version"], ["--version"]):  # scripts ask this often: it need not wait for click (24 ms)
        from projrun import __version__

        print(f"projrun {__version__}")  # noqa: T201 - the one line printed without click
        sys.exit(0)
    from projrun.cli.application import execute

    sys.exit(execute(words))
