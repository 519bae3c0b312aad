"""Which values a command's parameters take: by the word that stands for the value in the help, and by option."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

Offer = Callable[[click.Context, click.Parameter, str], Iterable[str | CompletionItem]]
"""As a `shell_complete` of click, with what was typed before as the context's parameters."""

_HERE = "projrun.cli.completing"
_RUNS, _EXPERIMENTS = f"{_HERE}.records:runs", f"{_HERE}.records:experiments"
_BY_METAVAR: Mapping[str, str] = {
    "RUN": _RUNS,
    "RUN_ID": _RUNS,
    "EXPERIMENT": _EXPERIMENTS,
    "KEY": f"{_HERE}.machine:keys",
    "FILE": "file",
    "PATH": "file",
    "DIR": "dir",
    "FOLDER": "dir",
}
_BY_NAME: Mapping[str, str] = {
    "entry_point": f"{_HERE}.project:entry_points",
    "parameters": f"{_HERE}.project:parameters",
    "run_id": _RUNS,
    "experiment_name": _EXPERIMENTS,
    "experiment_id": f"{_HERE}.records:experiment_ids",
    "env_manager": f"{_HERE}.machine:managers",
    "backend": f"{_HERE}.machine:backends",
    "python_downloads": f"{_HERE}.machine:download_words",
}


def attach(application: click.Command, words: Sequence[str]) -> None:
    """Give the parameters of the command that the words call their values."""
    command, rest = application, list(words)
    while isinstance(command, click.Group) and rest:
        inner = command.get_command(click.Context(command, resilient_parsing=True), rest[0])
        if inner is None:
            break
        command, rest = inner, rest[1:]
    typed: dict[str, Any] = {}
    for parameter in command.params:
        target = _target(command, parameter)
        if target is None or parameter._custom_shell_complete is not None:
            continue
        typed = typed or _typed(command, rest)
        # An attribute of this one: the class's method is for all of them.
        setattr(parameter, "shell_complete", partial(_offered, target, parameter, typed))  # noqa: B010


def _target(command: click.Command, parameter: click.Parameter) -> str | None:
    """`file`, `dir`, or the function that knows the values."""
    if isinstance(parameter, click.Option) and (
        parameter.is_flag or isinstance(parameter.type, click.Choice)
    ):
        return None
    if isinstance(parameter, click.Option) and parameter.name in _BY_NAME:
        return _BY_NAME[str(parameter.name)]
    if "--model-uri" in parameter.opts:
        return f"{_HERE}.models:model_uris"
    metavar = (parameter.metavar or "").strip("[].")
    if metavar == "URI":
        return "file" if isinstance(parameter, click.Argument) else None
    if metavar == "PATH" and command.name == "delete":
        return f"{_HERE}.records:artifacts"
    return _BY_METAVAR.get(metavar)


def _typed(command: click.Command, words: list[str]) -> dict[str, Any]:
    """What stands there already, without the option whose value is being typed."""
    if words and words[-1].startswith("-"):
        words = words[:-1]
    return {**command.make_context(command.name, list(words), resilient_parsing=True).params}


def _offered(
    target: str, parameter: click.Parameter, typed: Mapping[str, Any], ctx: click.Context, incomplete: str
) -> list[CompletionItem]:
    if target in ("file", "dir"):
        return [CompletionItem(incomplete, type=target)]
    module, _, name = target.partition(":")
    offer: Offer = getattr(import_module(module), name)
    ctx.params = {**ctx.params, **{key: value for key, value in typed.items() if value is not None}}
    found = (
        CompletionItem(one) if isinstance(one, str) else one for one in offer(ctx, parameter, incomplete)
    )
    return [one for one in found if str(one.value).startswith(incomplete) or one.type != "plain"]
