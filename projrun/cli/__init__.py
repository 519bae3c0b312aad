"""The command line: one module per command, imported when it is used."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` makes enumerations of its numbers, in 2 ms
import gc
import os
import sys

TYPE_CHECKING = False  # as in `typing`, whose import would take longer than `projrun version`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> None:
    """The `projrun` command: never returns, exits with the codes of `projrun.errors`."""
    leave_on_interrupt()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words in (["version"], ["--version"]):  # scripts ask this often: without click it is 24 ms faster
        leave(_print_version())
    # Imports make no garbage: looking for some 20 times while they run costs 3 ms. The rare collections
    # that are left are enough for a run of days, which waits for its child.
    gc.set_threshold(50_000, 20, 20)
    from projrun.cli.execution import execute

    leave(execute(words))


def leave_on_interrupt() -> None:
    """An interrupt ends the process without a traceback until `guarded` can say it in a line."""
    if _signal.getsignal(_signal.SIGINT) == _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _print_version() -> int:
    from projrun.version import __version__

    def show() -> None:
        print(f"projrun {__version__}", flush=True)  # noqa: T201 - the one line printed without click

    try:
        show()
    except OSError:  # a full disk, or a reader that has gone
        from projrun.cli.execution import guarded

        return guarded(show)  # which fails again, and says why
    return 0


def leave(code: int) -> NoReturn:
    """Exit without tearing down the interpreter (8 ms of every run): nothing important is still open."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or its reader has gone
            continue
    os._exit(code)
