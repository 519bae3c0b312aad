from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from tests.project.support import load_parameter


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("string", "string"),
        ("str", "string"),
        ("float", "float"),
        ("number", "number"),
        ("int", "int"),
        ("integer", "int"),
        ("bool", "bool"),
        ("boolean", "bool"),
        ("path", "path"),
        ("uri", "uri"),
        ("list", "string"),
        ("choice", "string"),
        ("Float", "string"),
        ("one of a and b", "string"),
    ],
)
def test_type_words(tmp_path: Path, word: str, kind: str) -> None:
    for declaration in (word, f"{{type: {word}}}"):
        parameter = load_parameter(tmp_path, declaration)
        assert parameter.type == kind
        assert parameter.declared_type == word
        assert parameter.default is None
        assert parameter.required


@pytest.mark.parametrize("declaration", ["", "{}", "{default: ~}", "{type: , default: }"])
def test_what_is_left_out(tmp_path: Path, declaration: str) -> None:
    parameter = load_parameter(tmp_path, declaration)
    assert (parameter.type, parameter.declared_type, parameter.default) == ("string", "string", None)


@pytest.mark.parametrize(
    ("default", "text"),
    [
        ("1e-5", "1e-5"),
        ("0.10", "0.10"),
        ("010", "010"),
        ("yes", "True"),
        ("''", ""),
        ("[1]", "[1]"),
        (".inf", "inf"),
    ],
)
def test_defaults_are_the_authors_text(tmp_path: Path, default: str, text: str) -> None:
    assert load_parameter(tmp_path, f"{{type: float, default: {default}}}").default == text


def test_constraints(tmp_path: Path) -> None:
    parameter = load_parameter(
        tmp_path,
        "{type: float, required: no, choices: [0.10, 1e-5, yes], min: -1, max: 2.5, pattern: '[0-9.]+',"
        " secret: true, description: how much}",
    )
    assert parameter.required is False
    assert parameter.choices == ("0.10", "1e-5", "True")
    assert (parameter.minimum, parameter.maximum) == (-1.0, 2.5)
    assert parameter.pattern == "[0-9.]+"
    assert parameter.secret is True
    assert parameter.description == "how much"


def test_null_constraints_are_none(tmp_path: Path) -> None:
    text = "{required: , choices: , min: , max: , pattern: , secret: , description: , unknown: [1]}"
    parameter = load_parameter(tmp_path, text)
    assert parameter._replace(name="", location=None) == parameter._replace(
        name="",
        location=None,
        required=True,
        choices=(),
        minimum=None,
        maximum=None,
        pattern=None,
        secret=False,
    )


def test_patterns_that_python_only_warns_about_are_taken_in_silence(tmp_path: Path) -> None:
    assert load_parameter(tmp_path, "{pattern: '[[a]b'}").pattern == "[[a]b"


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        ("5", "'5' is not a type"),
        ("[float]", "must be text"),
        ("{type: [float]}", "must be text"),
        ("{required: maybe}", "required must be true or false"),
        ("{required: 'true'}", "required must be true or false"),
        ("{secret: 1}", "secret must be true or false"),
        ("{choices: fast}", "choices must be a list"),
        ("{choices: []}", "choices must be a list that is not empty"),
        ("{choices: [a, ~]}", "null cannot be a choice"),
        ("{min: low}", "min must be a number"),
        ("{max: [1]}", "max must be a number"),
        ("{min: 2, max: 1}", "min 2 is more than max 1"),
        ("{min: .nan, max: 1}", "min nan is more than max 1"),
        ("{pattern: '('}", "the pattern is not a regular expression: "),
        ("{pattern: 'a{99999999999999999999}'}", "the pattern is not a regular expression: "),
        ("{pattern: [a]}", "pattern must be text"),
        ("{default: !!int x}", "the value does not fit its tag"),
        ("{default: !mine x}", "YAML: could not determine a constructor"),
    ],
)
def test_refused_at_the_value(tmp_path: Path, declaration: str, problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        load_parameter(tmp_path, declaration)
    assert caught.value.message.startswith("MLproject:1:")
    assert problem in caught.value.message


def test_the_line_of_a_secret_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        load_parameter(tmp_path, "{min: low, default: hunter2, secret: true}")
    assert "hunter2" not in str(caught.value.message + caught.value.detail + caught.value.hint)
