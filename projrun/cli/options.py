"""The options of `run`, `plan` and `rerun` for click, from the options table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from projrun.cli.records.run_names import run_argument
from projrun.settings.options import MOST_RESULTS, OPTIONS, RUNS_LIST, TABLE, Option, options_of

if TYPE_CHECKING:
    from projrun.settings.options import Command

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def click_option(option: Option, command: Command) -> Callable[[Decorated], Decorated]:
    """The option as click's decorator."""
    words = [f"--{option.name}", option.keyword]
    if option.short:
        words.insert(0, f"-{option.short}")
    if option.also:
        words.insert(-1, f"--{option.also}")
    if option.kind == "count":
        limits = click.IntRange(1, MOST_RESULTS)
        return click.option(
            *words,
            metavar=option.metavar,
            help=option.help,
            default=int(option.default),
            show_default=True,
            type=limits,
        )
    hint = option.hint(command)
    help_text = f"{option.help}  [{hint}]" if hint else option.help
    if option.kind == "switch":
        return click.option(
            f"--{option.name}/--no-{option.name}", option.keyword, default=None, help=help_text
        )
    return click.option(
        *words,
        metavar=option.metavar,
        help=help_text,
        is_flag=option.kind == "flag" or None,  # with False, click 8.5 takes `--run-name=-x` for an option -x
        multiple=option.kind == "repeated",
    )


tracking_uri_option = click_option(OPTIONS["tracking-uri"], "run")
json_option = click_option(OPTIONS["json"], "run")


def run_options(command: Decorated) -> Decorated:
    """Decorate a command with the options of `run`."""
    return _decorated(command, "run", click.argument("uri", metavar="URI"))


def plan_options(command: Decorated) -> Decorated:
    """Decorate a command with the options of `plan`."""
    return _decorated(command, "plan", click.argument("uri", metavar="URI"))


def rerun_options(command: Decorated) -> Decorated:
    """Decorate a command with the options of `rerun`."""
    return _decorated(command, "rerun", run_argument("repeated"))


def options_from(table: Mapping[str, Option]) -> Callable[[Decorated], Decorated]:
    """Decorate a command with all options of a table."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed([*table.values()]):
            command = click_option(option, "run")(command)
        return command

    return decorate


def table_options(command: Decorated) -> Decorated:
    """Decorate a command that prints a table of all there is: with --columns, --csv, --limit as its `layout`."""
    limit = click.option(
        "-n", "--limit", metavar="N", type=click.IntRange(1), help="Number of rows.  [default: all]"
    )
    return layout_options(limit(command))


def layout_options(command: Decorated) -> Decorated:
    """The same for a command that limits the rows itself."""

    @wraps(command)
    def with_layout(
        *words: Any, columns: str | None, as_csv: bool, limit: int | None = None, **values: Any
    ) -> Any:
        from projrun.cli.tables import Layout

        return command(*words, layout=Layout(columns, as_csv, limit), **values)

    decorated: Any = with_layout
    for option in reversed(TABLE):
        decorated = click_option(option, "run")(decorated)
    return cast("Decorated", decorated)


def limit_option(most: int) -> Callable[[Decorated], Decorated]:
    """The option of a command whose store gives no more rows than people want."""
    return click.option(
        *("-n", "--limit", "--max-results", "max_results"),
        metavar="N",
        type=click.IntRange(1, most),
        default=100,
        show_default=True,
        help="Number of rows to list.",
    )


def list_options(command: Decorated) -> Decorated:
    """Decorate a command with the options of `runs list`."""
    for option in reversed(RUNS_LIST):
        command = click_option(option, "run")(command)
    return command


def environment_options(command: Decorated) -> Decorated:
    """Decorate a command with those that decide which environment a project runs in."""
    return _decorated(command, "environment", click.argument("uri", metavar="URI"))


def _decorated(command: Decorated, name: Command, argument: Callable[[Any], Any]) -> Decorated:
    decorators: Sequence[Callable[[Any], Any]] = [
        argument,
        *(click_option(option, name) for option in options_of(name)),
    ]
    for decorator in reversed(decorators):
        command = decorator(command)
    return command
