from __future__ import annotations

import shlex
from string import Formatter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projrun.errors import RequestError
from projrun.project.command import (
    LONGEST_COMMAND,
    append_options,
    check_command,
    is_plain,
    placeholders,
    quoted,
    render,
    secret_environment,
    secret_variable,
    unknown_placeholders,
)
from projrun.project.model import BoundParameter, Invocation

VALUES = {"a": "1", "b c": "2", "text": "it's", "empty": "", "x.y": "dotted", "l[0]": "indexed", "0": "zero"}

RENDERED = [
    # what str.format takes
    ("run {a}", "run 1"),
    ("run {a} {a}", "run 1 1"),
    ("run {b c}", "run 2"),
    ("run {text} {empty}", "run 'it'\"'\"'s' ''"),
    ("run {{a}} {a}", "run {a} 1"),
    ("awk '{{print $1}}' {a}", "awk '{print $1}' 1"),
    ("run", "run"),
    ("", ""),
    ("run {a:}", "run 1"),
    ("echo $(echo {a}) \\'{a}\\'", "echo $(echo 1) \\'1\\'"),
    # what it refuses: only supplied names are replaced, in one pass
    ("run ${HOME} {a}", "run ${HOME} 1"),
    ("awk '{print $1}' {a}", "awk '{print $1}' 1"),
    ('echo \'{"k": "{a}"}\'', 'echo \'{"k": "1"}\''),
    ("run {a:>5}", "run {a:>5}"),
    ("run {a!r}", "run {a!r}"),
    ("run {a.real}", "run {a.real}"),
    ("run {x.y} {l[0]} {0}", "run dotted indexed zero"),
    ("run {} {a}", "run {} 1"),
    ("run {a", "run {a"),
    ("run a} {a}", "run a} 1"),
    ("f() { g; }; f {a}", "f() { g; }; f 1"),
    ("echo {1..3} {a,b} {a}", "echo {1..3} {a,b} 1"),
]


@pytest.mark.parametrize(("template", "line"), RENDERED)
def test_render(template: str, line: str) -> None:
    assert render(template, VALUES) == line


def test_nothing_is_replaced_twice() -> None:
    assert render("{a} {b} ${HOME}", {"a": "{b}", "b": "{a}"}) == "'{b}' '{a}' ${HOME}"
    assert render("{a} {b}", {"a": "{b}", "b": "{a}"}) == "'{b}' '{a}'"


def test_a_name_that_begins_another() -> None:
    assert render("{a} {ab} ${X}", {"a": "1", "ab": "2"}) == "1 2 ${X}"


@pytest.mark.parametrize("template", ["run {a} end", "run {a} end ${HOME}"])
def test_none_becomes_nothing(template: str) -> None:
    assert render(template, {"a": None}) == template.replace("{a}", "")


NAMES = st.sampled_from(["a", "b", "alpha", "l1-ratio", "b c", "x.y", "0", "é", "{", "a:b"])
TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)
PLAIN_TEXTS = st.text("abzAZ09_@%+=:,./-", min_size=1, max_size=8)
BARE_TEMPLATES = st.lists(
    st.sampled_from(
        ["{a}", "{b}", "{alpha}", "{l1-ratio}", "{{", "}}", " ", "--x=", "&& y", "; z", "| w", "\n"]
    ),
    max_size=8,
).map("".join)
TEMPLATES = st.lists(
    st.sampled_from(
        ["{a}", "{b}", "{alpha}", "{l1-ratio}", "{b c}", "{x.y}", "{0}", "{é}", "{{", "}}", "{", "}"]
    )
    | st.sampled_from(["${HOME}", "{a:5}", "{a!r}", "{a[0]}", "{}", "{c}", " ", "x", "'", "{a:}", "{a:b}"])
    | TEXTS,
    max_size=8,
).map("".join)


def _plain_fields(template: str, names: dict[str, str]) -> bool:
    try:
        fields = list(Formatter().parse(template))
    except ValueError:
        return False
    return all(
        name is None
        or (name in names and not spec and not conversion and not {*name} & {*".["} and not name.isdigit())
        for _, name, spec, conversion in fields
    )


@given(TEMPLATES, st.dictionaries(NAMES, PLAIN_TEXTS))
@example("{a}{{b}}", {"a": "x"})
def test_equals_str_format_where_that_takes_the_line(template: str, values: dict[str, str]) -> None:
    if _plain_fields(template, values):
        assert render(template, values) == template.format(**values)


@given(BARE_TEMPLATES, st.dictionaries(NAMES, TEXTS))
@example("{a}{{b}} {l1-ratio}", {"a": "it's", "l1-ratio": ""})
def test_bare_placeholders_are_quoted_as_in_mlflow(template: str, values: dict[str, str]) -> None:
    if _plain_fields(template, values):
        quoted = {name: shlex.quote(value) for name, value in values.items()}
        assert render(template, values) == template.format(**quoted)


@given(TEMPLATES, st.dictionaries(NAMES, TEXTS))
def test_otherwise_only_supplied_names_change(template: str, values: dict[str, str]) -> None:
    if not _plain_fields(template, values):
        marks = {name: f"@/{number}/@" for number, name in enumerate(values)}
        rendered = render(template, marks)
        for name, mark in marks.items():
            rendered = rendered.replace(mark, f"{{{name}}}")
        assert rendered == template


@pytest.mark.parametrize(
    ("name", "decimal"), [("0", True), ("12", True), ("\u0663", True), ("\u00b2", False), ("1a", False)]
)
def test_a_decimal_name_is_a_position_to_str_format(name: str, decimal: bool) -> None:
    """So the line is not one for `str.format`: doubled braces stay. A superscript is a digit and no decimal."""
    template = f"{{{name}}} {{{{x}}}}"
    if decimal:
        with pytest.raises(IndexError):
            template.format(**{name: "v"})
    else:
        assert template.format(**{name: "v"}) == "v {x}"
    assert render(template, {name: "v"}) == ("v {{x}}" if decimal else "v {x}")


@pytest.mark.parametrize(
    ("template", "used"),
    [
        ("run {a} {{text}}", {"a"}),
        ("run {a} {text} ${HOME}", {"a", "text"}),
        ("run {c} {a}", {"a"}),
        ("run", set()),
    ],
)
def test_placeholders(template: str, used: set[str]) -> None:
    assert placeholders(template, VALUES) == used


@pytest.mark.parametrize(
    ("template", "unknown"),
    [
        ("run {c} {d-e} {c} {a}", ("c", "d-e")),
        ("run ${c} ${HOME}", ()),
        ("run {a} {{c}}", ()),
        ("run {{c}} ${HOME}", ()),
        ("awk '{print $1}' {1..3} {} {x.z}", ()),
        ("curl -w %{http_code}", ("http_code",)),
        ("run {c", ()),
    ],
)
def test_unknown_placeholders(template: str, unknown: tuple[str, ...]) -> None:
    assert unknown_placeholders(template, VALUES) == unknown


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("run", "run --x 1 --y 'a b'"),
        ("run\n", "run --x 1 --y 'a b'"),
        ("run  \n\n", "run --x 1 --y 'a b'"),
        ("run \\\n", "run \\\n --x 1 --y 'a b'"),
        ("run \\\\\n", "run \\\\ --x 1 --y 'a b'"),
    ],
)
def test_append_options(command: str, line: str) -> None:
    assert append_options(command, [("x", "1"), ("y", "a b")]) == line
    assert append_options(command, []) == command


def test_the_longest_command() -> None:
    check_command("x" * LONGEST_COMMAND)
    with pytest.raises(RequestError, match="131,072 bytes long, more than the 131,071"):
        check_command("x" * (LONGEST_COMMAND + 1))
    with pytest.raises(RequestError, match="bytes long"):
        check_command("é" * 65_536)


@pytest.mark.parametrize("command", ["a\0b", "a\ud800b"])
def test_what_no_process_takes(command: str) -> None:
    with pytest.raises(RequestError, match="the command contains"):
        check_command(command)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("token", "PROJRUN_PARAM_TOKEN"), ("api-key.v2", "PROJRUN_PARAM_API_KEY_V2"), ("é", "PROJRUN_PARAM__")],
)
def test_secret_variables(name: str, variable: str) -> None:
    assert secret_variable(name) == variable


def test_only_secrets_reach_the_environment() -> None:
    token = BoundParameter("token", "string", "raw", "value", "command line", secret=True)
    plain = BoundParameter("alpha", "float", "1", "1", "default")
    assert secret_environment(Invocation("main", "run", (token, plain))) == {"PROJRUN_PARAM_TOKEN": "value"}


@given(st.text(max_size=8) | st.text(alphabet="aZ9@%+=:,./-_ '²\n", max_size=5))
@example("")
@example("...")
def test_value_is_quoted_as_the_standard_library_does(value: str) -> None:
    assert quoted(value) == shlex.quote(value)
    assert is_plain(value) == (shlex.quote(value) == value)
