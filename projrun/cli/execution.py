"""Runs a command line: the one place where errors become output and exit codes."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from projrun.errors import DiskError, Interruption, ProjrunError, RequestError, with_disk_code

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


def execute(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code. With `--json`, every error is one object on stdout."""
    return guarded(lambda: _perform(arguments), as_json=_asks_for_json(arguments))


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is an option there: it does not follow `--`, and is not the value of another option."""
    if "--json" not in arguments:
        return False
    from projrun.settings.options import value_options

    takes_value = value_options()
    words = iter(arguments)
    for word in words:
        if word in ("--", "--json"):
            return word == "--json"
        if word in takes_value:
            next(words, None)
    return False


def _perform(arguments: Sequence[str]) -> object:
    """Plain lines without click, whose import takes a fifth of the time of `projrun run`."""
    from projrun.cli.plain_lines import read_plain_line

    line = read_plain_line(arguments, os.environ)
    if line is None:
        from projrun.cli.application import through_click

        return through_click(arguments)
    if line.command == "runs list":
        from projrun.cli.records.runs_list import list_runs

        list_runs(line.values)
        return 0
    if line.command == "plan":
        from projrun.cli.plan import show_plan

        return show_plan(line.values)
    from projrun.cli.run import run_line

    return run_line(line.values)


def guarded(command: Callable[[], object], *, as_json: bool = False) -> int:
    """Call it and return the exit code."""
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that it cannot show is not an error
    try:
        with _interrupts_raised():
            code = _with_stdout_for_json(command) if as_json else command()
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        return _leave_broken_pipe()
    except BaseException as ending:
        error = _as_error(ending)
        error.run_id = error.run_id or getattr(ending, "run_id", None)
        return _report(error, as_json=as_json)
    return code if isinstance(code, int) else 0


@contextmanager
def _interrupts_raised() -> Iterator[None]:
    """Where `main` had SIGINT end the process: it is KeyboardInterrupt in the block."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _with_stdout_for_json(command: Callable[[], object]) -> object:
    from projrun.cli.rendering import stdout_kept_for_json

    with stdout_kept_for_json():
        return command()


def _as_error(ending: BaseException) -> ProjrunError:
    """What ended the command, as an error to report; SystemExit is raised again."""
    if isinstance(ending, ProjrunError):
        return with_disk_code(ending)
    if isinstance(ending, KeyboardInterrupt):
        with suppress(OSError, AttributeError):
            sys.stderr.write("\n")  # closes the line on which a terminal shows `^C`, as click does
        return Interruption("interrupted by SIGINT", 130)
    if isinstance(ending, OSError) and ending.errno in _FULL:
        where = f" {ending.filename}" if ending.filename else ""
        remedy = "write elsewhere" if ending.errno == errno.EROFS else "free some space"
        return DiskError(f"cannot write{where}: {ending.strerror}", hint=remedy)
    if isinstance(ending, OSError) and (failure := _working_directory_failure()):
        return RequestError(
            f"cannot use the working directory: {failure}", hint="change to a folder that exists"
        )
    if isinstance(ending, Exception):
        return _bug(ending)
    from projrun.execution.supervision.signals import Interrupted

    if isinstance(ending, Interrupted):
        return Interruption(str(ending), ending.exit_code)
    raise ending


def _working_directory_failure() -> str | None:
    """Why the working directory has no path; None where it has one."""
    try:
        os.getcwd()  # noqa: PTH109 - the path is not wanted
    except OSError as error:
        return error.strerror
    return None


def _report(error: ProjrunError, *, as_json: bool) -> int:
    from projrun.cli.rendering import error_text, print_json, print_text

    with suppress(OSError):
        print_text(error_text(error), err=True)
    if as_json:
        document = {
            "error": {"message": error.message, "hint": error.hint, "detail": error.detail},
            "exit_code": error.exit_code,
            **({"run_id": error.run_id, "status": _status(error)} if error.run_id else {}),
        }
        with suppress(OSError):
            print_json(document)
    return error.exit_code


def _status(error: ProjrunError) -> str:
    """That of the run which it ended."""
    return "KILLED" if isinstance(error, Interruption) else "FAILED"


def _leave_broken_pipe() -> int:
    # The reader (`| head`) has gone, and nothing is wrong.
    from projrun.cli.rendering import silence_stdout

    silence_stdout()
    return 0


def _bug(bug: Exception) -> ProjrunError:
    from projrun.cli.bugs import write_report

    return ProjrunError(f"a bug in projrun: {type(bug).__name__}", hint=write_report(bug))
