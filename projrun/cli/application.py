"""The command group, and the one place where errors become output and exit codes."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module

import click

from projrun.errors import ProjrunError, RequestError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)

_COMMANDS = {
    "run": ("projrun.cli.run:run", "Run an entry point of a project and record it."),
    "rerun": ("projrun.cli.rerun:rerun", "Repeat a recorded run; show what differs."),
    "plan": ("projrun.cli.plan:plan", "Show what `run` would do; change nothing."),
    "check": ("projrun.cli.check:check", "Find mistakes in an MLproject file."),
    "runs": ("projrun.cli.runs:runs", "List, show and compare recorded runs."),
    "envs": ("projrun.cli.envs:envs", "List, show and remove built environments."),
    "cache": ("projrun.cli.cache:cache", "List, show and remove fetched sources."),
    "completion": ("projrun.cli.completion:completion", "Print a shell completion script."),
    "version": ("projrun.cli.version:version", "Print the version."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line help, and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from projrun.suggestions import did_you_mean

            raise click.UsageError(f"no such command {args[0]!r}{did_you_mean(args[0], _COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 success; 2 the request, 3 the source, 4 the environment, 5 the tracking store; 70 a bug; "
    "130/143 interrupted; else the project's own.",
)
@click.version_option(package_name="projrun", message="projrun %(version)s", prog_name="projrun")
def application() -> None:
    """Run MLproject projects: built environments, supervised commands, MLflow-compatible records.

    \b
    projrun run . -P alpha=0.42                       a folder
    projrun run https://host/team/repo.git#train      a git repository, and a folder in it
    projrun plan .                                    what would happen
    """


def execute(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code. With `--json`, every error is one object on stdout."""
    return guarded(
        lambda: application.main(list(arguments), prog_name="projrun", standalone_mode=False),
        as_json="--json" in arguments,
    )


def guarded(command: Callable[[], object], *, as_json: bool = False) -> int:
    """Call it and return the exit code: the one place where errors become output."""
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that it cannot show is not an error
    try:
        code = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except BrokenPipeError:
        return _leave_broken_pipe()
    except BaseException as ending:
        if _is_bare_group(ending):
            click.echo(str(ending), err=True)
            return 2
        return _report(_as_error(ending), as_json=as_json)
    return code if isinstance(code, int) else 0


def _as_error(ending: BaseException) -> ProjrunError:
    """What ended the command, as an error to report; SystemExit is raised again."""
    if isinstance(ending, ProjrunError):
        return ending
    if isinstance(ending, click.Abort | KeyboardInterrupt):
        return _interrupted("interrupted by SIGINT", 130)
    if isinstance(ending, click.ClickException):
        return _usage_error(ending)
    if isinstance(ending, OSError) and ending.errno in _FULL:
        return RequestError(f"cannot write: {ending.strerror}", hint="free some space")
    if isinstance(ending, Exception):
        return _bug(ending)
    from projrun.execution.supervision.signals import Interrupted

    if isinstance(ending, Interrupted):
        return _interrupted(str(ending), ending.exit_code)
    raise ending


def _report(error: ProjrunError, *, as_json: bool) -> int:
    from projrun.cli.rendering import error_text, print_json

    with suppress(OSError):
        click.echo(error_text(error), err=True)
    if as_json:
        document = {
            "error": {"message": error.message, "hint": error.hint, "detail": error.detail},
            "exit_code": error.exit_code,
            **({"run_id": error.run_id} if error.run_id else {}),
        }
        with suppress(OSError):
            print_json(document)
    return error.exit_code


def _is_bare_group(ending: BaseException) -> bool:
    # Click 8.2 made an exception of what 8.1 prints itself: the help of a group that is called alone.
    kind = getattr(click.exceptions, "NoArgsIsHelpError", None)
    return kind is not None and isinstance(ending, kind)


def _usage_error(mistake: click.ClickException) -> RequestError:
    message = mistake.format_message().rstrip(".")
    path = mistake.ctx.command_path if isinstance(mistake, click.UsageError) and mistake.ctx else "projrun"
    return RequestError(message[:1].lower() + message[1:], hint=f"see `{path} --help`")


def _interrupted(message: str, exit_code: int) -> ProjrunError:
    error = ProjrunError(message)
    error.exit_code = exit_code
    return error


def _leave_broken_pipe() -> int:
    # The reader (`| head`) has gone, and nothing is wrong.
    from projrun.cli.rendering import silence_stdout

    silence_stdout()
    return 0


def _bug(bug: Exception) -> ProjrunError:
    from projrun.cli.bugs import write_report

    return ProjrunError(f"a bug in projrun: {type(bug).__name__}", hint=write_report(bug))
