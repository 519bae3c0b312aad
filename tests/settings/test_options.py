"""The options table, the command line, the API and docs/reference.md agree."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
import pytest

import projrun
from projrun.cli.application import application
from projrun.settings.options import OPTIONS, Option, options_of
from tests.support.guard import REPOSITORY

if TYPE_CHECKING:
    from projrun.settings.options import Command

REFERENCE = (REPOSITORY / "docs" / "reference.md").read_text(encoding="utf-8")
TITLES: dict[Command, tuple[str, ...]] = {
    "run": ("run",),
    "plan": ("plan",),
    "rerun": ("rerun",),
    "environment": ("envs", "path"),
}
NOT_OPTIONS = {"uri", "synchronous", "docker_auth"}
"""Keywords of `projrun.run` that only Python has."""


def click_command(words: Sequence[str]) -> click.Command:
    command: click.Command = application
    for word in words:
        assert isinstance(command, click.Group)
        child = command.get_command(click.Context(command), word)
        assert child is not None
        command = child
    return command


def shown(table: Sequence[Option]) -> set[tuple[str, ...]]:
    """What the table says of each option: words, keyword, whether it takes a value or may be repeated."""
    return {
        (
            f"-{one.short} " if one.short else "",
            f"--{one.name}",
            one.keyword,
            "flag" if one.kind == "flag" else "",
            "repeated" if one.kind == "repeated" else "",
        )
        for one in table
    }


def shown_by_click(command: click.Command) -> set[tuple[str, ...]]:
    """What click says of each."""
    return {
        (
            "".join(f"{word} " for word in one.opts if not word.startswith("--")),
            *(word for word in one.opts if word.startswith("--")),
            str(one.name),
            "flag" if one.is_flag else "",
            "repeated" if one.multiple else "",
        )
        for one in command.params
        if isinstance(one, click.Option)
    }


def disagreements(
    command: Command, table: Sequence[Option], parsed: click.Command, reference: str
) -> Iterator[str]:
    """What only one of the table, click and the reference has."""
    for words in sorted(shown(table) ^ shown_by_click(parsed)):
        yield f"{command}: {words}"
    section = reference.partition(f"### projrun {' '.join(TITLES[command])}\n")[2].partition("\n### ")[0]
    rows = set(re.findall(r"^\| `(?:-\w, )?--([\w-]+)", section, re.MULTILINE))
    for name in sorted(rows ^ {one.name for one in table} ^ {"help"}):
        yield f"{command}: --{name} in the reference"


def disagreements_of_python(table: Sequence[Option], function: Callable[..., object]) -> Iterator[str]:
    """What only one of the table and the signature of `projrun.run` has, and keywords of the wrong kind."""
    keywords = {one.keyword: one for one in table if one.api}
    parameters = inspect.signature(function).parameters
    for name in sorted(keywords.keys() ^ (parameters.keys() - NOT_OPTIONS)):
        yield f"keyword {name}"
    for name in keywords.keys() & parameters.keys():
        expected = False if keywords[name].kind == "flag" else "main" if name == "entry_point" else None
        if parameters[name].default != expected:
            yield f"default of {name}"


@pytest.mark.parametrize("command", TITLES)
def test_table_and_click_and_reference_agree(command: Command) -> None:
    parsed = click_command(TITLES[command])
    assert list(disagreements(command, options_of(command), parsed, REFERENCE)) == []


@pytest.mark.parametrize(
    "option", [one for one in options_of("run") if one.kind != "flag"], ids=lambda one: one.name
)
@pytest.mark.parametrize("value", ["-x", "--upload-pack=x", "-"])
def test_a_value_after_an_equals_sign_may_begin_with_a_dash(option: Option, value: str) -> None:
    given = (
        click_command(["run"]).make_context("run", [".", f"--{option.name}={value}"]).params[option.keyword]
    )
    assert given == ((value,) if option.kind == "repeated" else value)


def test_table_and_signature_agree() -> None:
    assert list(disagreements_of_python(options_of("run"), projrun.run)) == []


def test_an_option_in_one_place_only_is_found() -> None:
    parsed, table = click_command(["run"]), options_of("run")
    more = (*table, Option("new", "New.", "TEXT"))
    assert len(list(disagreements("run", more, parsed, REFERENCE))) == 2
    assert list(disagreements_of_python(more, projrun.run)) == ["keyword new"]

    @click.option("--new")
    @click.command(params=list(parsed.params))
    def extended() -> None: ...

    assert len(list(disagreements("run", table, extended, REFERENCE))) == 1
    header = "| option | meaning |\n| --- | --- |\n"
    documented = REFERENCE.replace(header, f"{header}| `--new TEXT` | New. |\n")
    assert len(list(disagreements("run", table, parsed, documented))) == 1
    assert list(disagreements_of_python(table, lambda new=None, **_: new)) != []


def test_every_setting_is_in_the_reference() -> None:
    rows = set(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", REFERENCE.partition("## Settings")[2], re.MULTILINE))
    expected = {
        (one.name, ", ".join(f"`{name}`" for name in one.variables))
        for one in OPTIONS.values()
        if one.in_config
    }
    assert expected <= rows


@pytest.mark.parametrize(
    "option",
    [one for one in OPTIONS.values() if one.api and one.keyword != "run_id"],
    ids=lambda one: one.name,
)
def test_rerun_takes_the_keywords_of_its_options(option: Option) -> None:
    """Whether `projrun.rerun` knows a keyword shows before it looks for the run."""
    call: dict[str, Any] = {option.keyword: {} if option.kind == "repeated" else "1", "run_id": "none"}
    if "rerun" in option.commands:
        with pytest.raises(projrun.ProjrunError):
            projrun.rerun(**call)
    else:
        with pytest.raises(TypeError, match=option.keyword):
            projrun.rerun(**call)


def test_names_and_short_forms_are_unique() -> None:
    for command in TITLES:
        shorts = [one.short for one in options_of(command) if one.short]
        keywords = [one.keyword for one in options_of(command)]
        assert len(set(shorts)) == len(shorts)
        assert len(set(keywords)) == len(keywords)


def test_only_settings_are_in_the_configuration() -> None:
    assert [
        one.name for one in OPTIONS.values() if (one.in_config or one.variables) and not one.setting
    ] == []
