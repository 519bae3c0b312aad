"""The command group for click, which reads every command line that `projrun.cli.plain_lines` leaves."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from projrun.cli.plain_lines import COMPLETION
from projrun.cli.rendering import print_text
from projrun.errors import Interruption, RequestError
from projrun.suggestions import did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {
    "run": ("projrun.cli.project_commands:run", "Run an entry point of a project and record it."),
    "rerun": ("projrun.cli.rerun:rerun", "Repeat a recorded run; show what differs."),
    "plan": ("projrun.cli.project_commands:plan", "Show what `run` would do; change nothing."),
    "init": ("projrun.cli.authoring.init:init", "Write the MLproject file of a script."),
    "check": ("projrun.cli.authoring.check:check", "Find mistakes in an MLproject file."),
    "attach": ("projrun.cli.active.attach:attach", "Show the output of a run, and follow it to its end."),
    "logs": ("projrun.cli.active.logs:logs", "Print the output of a run."),
    "cancel": ("projrun.cli.active.cancel:cancel", "End runs that are going on."),
    "gate": ("projrun.cli.gate.command:gate", "Fail if a run is worse than it may be, for CI."),
    "runs": ("projrun.cli.records.runs:runs", "List, show, compare, delete and restore recorded runs."),
    "experiments": (
        "projrun.cli.records.experiments:experiments",
        "List, create, rename, delete and restore experiments.",
    ),
    "artifacts": ("projrun.cli.records.artifacts:artifacts", "Delete artifacts of runs."),
    "models": (
        "projrun.cli.models.command:models",
        "List, show, register, alias, tag and delete models.",
    ),
    "gc": ("projrun.cli.collecting.command:gc", "Remove for good what was deleted, and what is of no use."),
    "sync": (
        "projrun.cli.records.sync:sync",
        "Deliver what runs could not record while their server was away.",
    ),
    "import": (
        "projrun.cli.records.importing:import_command",
        "Bring an MLflow store or server into the tracking store.",
    ),
    "export": (
        "projrun.cli.records.exporting:export",
        "Bring the tracking store into another one, or print it as JSON.",
    ),
    "server": (
        "projrun.cli.server.command:server",
        "Serve a store to MLflow's clients: tracking server and registry.",
    ),
    "ui": ("projrun.cli.server.ui:ui", "Show a store in the browser."),
    "envs": ("projrun.cli.envs:envs", "List, show and remove built environments."),
    "cache": ("projrun.cli.cache:cache", "List, show and remove fetched sources."),
    "doctor": ("projrun.cli.doctor.command:doctor", "Look for what is wrong on this machine."),
    "completion": ("projrun.cli.completion:completion", "Print a shell completion script."),
    "version": ("projrun.cli.version:version", "Print the version."),
}


class _ReaderGone(Exception):
    """What reads stdout has gone."""


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
            raise click.UsageError(f"no such command {args[0]!r}{did_you_mean(args[0], _COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands' names, and options: click would import all commands for their help."""
        from click.shell_completion import CompletionItem

        named = (CompletionItem(name, help=help_text) for name, (_, help_text) in _COMMANDS.items())
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(one for one in named if one.value.startswith(incomplete)), *options]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would exit with 1
            raise _ReaderGone from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 success; 2 the request, 3 the source, 4 the environment, 5 the tracking store; 70 a bug; "
    "6 `projrun gate` failed; 74 a full or read-only disk; 124 --timeout; 130/143 interrupted; else the project's own.",
)
@click.version_option(package_name="projrun", message="projrun %(version)s", prog_name="projrun")
def application() -> None:
    """Run MLproject projects: built environments, supervised commands, MLflow-compatible records.

    \b
    projrun run . -P alpha=0.42                       a folder
    projrun run https://host/team/repo.git#train      a git repository, and a folder in it
    projrun plan .                                    what would happen
    """


def through_click(arguments: Sequence[str]) -> object:
    """Run the command line and return what the command returned; RequestError for what click refuses."""
    if os.environ.get(COMPLETION):
        from projrun.cli.completing.shells import register

        register()
    try:
        return application.main(list(arguments), prog_name="projrun", standalone_mode=False)
    except _ReaderGone:
        raise BrokenPipeError from None
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        raise Interruption("interrupted by SIGINT", 130) from None
    except click.ClickException as mistake:
        if _is_bare_group(mistake):
            print_text(str(mistake), err=True)
            return 2
        raise _usage_error(mistake) from None


def _is_bare_group(mistake: click.ClickException) -> bool:
    # Click 8.2 made an exception of what 8.1 prints itself: the help of a group that is called alone.
    kind = getattr(click.exceptions, "NoArgsIsHelpError", None)
    return kind is not None and isinstance(mistake, kind)


def _usage_error(mistake: click.ClickException) -> RequestError:
    # As projrun's own messages have it: click writes `No such option '--x'. (Did you mean '--y'?)`.
    message = re.sub(
        r"[.( ]+Did you mean (.*)\?\)?$", r"; did you mean \1?", mistake.format_message().rstrip(".")
    )
    path = mistake.ctx.command_path if isinstance(mistake, click.UsageError) and mistake.ctx else "projrun"
    return RequestError(message[:1].lower() + message[1:], hint=f"see `{path} --help`")
