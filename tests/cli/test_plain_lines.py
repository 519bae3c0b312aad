"""The small parser and click read the same from every line that the small one takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projrun.cli.plain_lines import read_plain_line
from projrun.cli.project_commands import plan, run
from projrun.cli.records.runs import list_command
from projrun.cli.request import build_request
from projrun.errors import RequestError
from projrun.running.request import RunRequest
from projrun.settings.options import OPTIONS, RUNS_LIST, Option, options_of
from tests.support.commands import projrun_argv, run_command, run_projrun
from tests.support.guard import REPOSITORY

QUICKSTART = REPOSITORY / "example_projects" / "quickstart"

Name = Literal["run", "plan"]
CLICK = {"run": run, "plan": plan}

NAMES = [f"--{name}" for name in OPTIONS] + [
    f"-{option.short}" for option in OPTIONS.values() if option.short
]
VALUES = st.sampled_from(
    [
        "",
        "-",
        "--",
        "-x",
        ".",
        "a=1",
        "alpha=0.5",
        "=",
        "--quiet",
        "main",
        "é",
        "a b",
        "\udce9",
        "10",
        "[[",
        "a=",
        "1",
    ]
) | st.text(max_size=6)
ODD = st.sampled_from(["--", "-", "-h", "--help", "-qq", "-Pa=1", "-e=x", "--env-man", "--quiet=1", "-vq"])


@st.composite
def option_words(draw: st.DrawFn) -> list[str]:
    """An option, known or not to the command, with a value, without one or with one that is not its own."""
    name = draw(st.sampled_from(NAMES))
    form = draw(st.sampled_from(["alone", "apart", "apart", "equals"]))
    if form == "alone":
        return [name]
    value = draw(VALUES)
    return [name, value] if form == "apart" else [f"{name}={value}"]


LINES = st.lists(
    option_words() | VALUES.map(lambda word: [word]) | ODD.map(lambda word: [word]), min_size=1, max_size=6
).map(lambda parts: [word for part in parts for word in part])


def values_by_click(command: Name, words: Sequence[str]) -> dict[str, Any]:
    return CLICK[command].make_context(command, list(words)).params


def request_of(values: dict[str, Any], command: Name) -> RunRequest | str:
    """The request, or what is wrong with it."""
    try:
        return build_request(values, command)
    except RequestError as error:
        return error.message


@pytest.mark.parametrize("command", ["run", "plan"])
@given(words=LINES)
@example(words=["-q", ".", "-P", "a=1", "-q", "--run-name", "x", "-P", "b=2", "--run-name=y"])
@example(words=[".", "--", "-x"])
@example(words=["--run-name=-x", "."])
@example(words=["-e", "-x", "."])
@example(words=[".", "-v"])
def test_click_reads_the_same(command: Name, words: list[str]) -> None:
    line = read_plain_line([command, *words], {})
    if line is None:
        return
    by_click = values_by_click(command, words)
    assert line.command == command
    assert line.values == by_click
    assert request_of(dict(line.values), command) == request_of(by_click, command)


@given(words=LINES)
@example(words=["-n", "5", "--order-by", "a", "-n=7", "--order-by=b"])
@example(words=["--max-results=050", "--filter", "x", "--filter=y"])
def test_click_lists_the_same(words: list[str]) -> None:
    line = read_plain_line(["runs", "list", *words], {})
    if line is not None:
        assert line.values == list_command.make_context("list", list(words)).params


def test_listing_everything_is_plain() -> None:
    line = read_plain_line(["runs", "list"], {})
    assert line is not None
    assert line.values == list_command.make_context("list", []).params


COMMANDS: list[tuple[list[str], tuple[Option, ...]]] = [
    (["run", "."], options_of("run")),
    (["plan", "."], options_of("plan")),
    (["runs", "list"], RUNS_LIST),
]


@pytest.mark.parametrize(("start", "options"), COMMANDS)
@given(data=st.data())
def test_every_option_of_the_table_is_taken(
    start: list[str], options: tuple[Option, ...], data: st.DataObject
) -> None:
    """All at once, in any order, in either form: nothing plain is left to click."""
    words: list[list[str]] = []
    expected: dict[str, Any] = {"uri": "."} if "." in start else {}
    for option in options:
        value = "10" if option.kind == "count" else data.draw(st.sampled_from(["a=1", "x y", "é"]))
        names = [f"--{option.name}"] + [f"-{option.short}"] * bool(option.short)
        name = data.draw(st.sampled_from(names))
        if option.kind == "flag":
            words.append([name])
        else:
            joined = name.startswith("--") and data.draw(st.booleans())
            words.append([f"{name}={value}"] if joined else [name, value])
        expected[option.keyword] = {"flag": True, "repeated": (value,), "count": 10}.get(option.kind, value)
    flat = [word for part in data.draw(st.permutations(words)) for word in part]
    line = read_plain_line([*start, *flat], {})
    assert line is not None
    assert line.values == expected


@pytest.mark.parametrize(
    "words",
    [
        ["run", "."],
        ["run", ".", "-P", "alpha=0.42"],
        ["run", "https://host/team/repo.git#train", "-v", "v1.2", "--env-manager=uv"],
        ["run", ".", "-e", "evaluate", "--params-file", "params.yaml", "--experiment-name", "nightly"],
        ["run", "-q", ".", "--json", "--tracking-uri=sqlite:///x.db", "-b", "local", "-c", "{}"],
        ["run", ".", "--dry-run"],
        ["plan", ".", "-P", "alpha=0.42"],
        ["runs", "list"],
        ["runs", "list", "--filter", "metrics.rmse < 0.8", "-n", "5", "--json"],
    ],
)
def test_common_lines_need_no_click(words: list[str]) -> None:
    assert read_plain_line(words, {}) is not None


@pytest.mark.parametrize(
    "words",
    [
        [], ["run"], ["plan"], ["version"], ["rerun", "x"], ["--help"], ["-h"], ["run", ".", "--help"],
        ["run", ".", "."], ["run", ""], ["run", ".", "--"], ["run", "--", "."], ["run", ".", "-P"],
        ["run", ".", "-P", "-a=1"], ["run", ".", "-Pa=1"], ["run", ".", "-qq"], ["run", ".", "--env-man", "uv"],
        ["run", ".", "--quiet=1"], ["run", ".", "-q=1"], ["run", ".", "-e=x"], ["run", ".", "--run-name="],
        ["plan", ".", "--dry-run"], ["run", ".", "--source", "x"], ["run", ".", "--allowed-hosts=x"],
        ["-q", "run", "."], ["runs"], ["runs", "show", "x"], ["runs", "list", "x"], ["runs", "list", "-n", "0"],
        ["runs", "list", "-n", "+5"], ["runs", "--help", "list"],
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_click(words: list[str]) -> None:
    assert read_plain_line(words, {}) is None


def test_completion_is_left_to_click() -> None:
    assert read_plain_line(["run", "."], {"_PROJRUN_COMPLETE": "bash_complete"}) is None


@pytest.mark.processes
@pytest.mark.parametrize(
    "words",
    [
        ["run", "missing-folder"],
        ["run", str(QUICKSTART), "-P", "novalue"],
        ["run", str(QUICKSTART), "-e", "nothing"],
        ["run", str(QUICKSTART), "--backend", "nowhere", "--json"],
        ["plan", str(QUICKSTART), "--env-manager", "none", "--json"],
        ["run", str(QUICKSTART), "--tracking-uri", "ftp://host"],
    ],
)
def test_errors_are_the_same_with_click(words: list[str]) -> None:
    plain = run_projrun(*words)
    by_click = run_projrun(words[0], *words[2:], "--", words[1])
    assert (plain.returncode, plain.stdout, plain.stderr) == (
        by_click.returncode,
        by_click.stdout,
        by_click.stderr,
    )
    assert plain.returncode != 0


@pytest.mark.processes
@pytest.mark.parametrize("words", [["plan", str(QUICKSTART)], ["plan", "--", str(QUICKSTART)]])
def test_a_reader_that_has_gone_is_no_error(words: list[str]) -> None:
    done = run_command(
        ["bash", "-c", 'set -o pipefail; (sleep 0.2; "$@") | true', "-", *projrun_argv(), *words]
    )
    assert (done.returncode, done.stderr) == (0, "")
