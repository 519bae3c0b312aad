from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from projrun.project.model import Parameter
from projrun.project.values import scheme_of, type_problem, value_problem

if TYPE_CHECKING:
    from projrun.project.model import ParameterType

GOOD: list[tuple[ParameterType, str]] = [
    *(
        ("float", text)
        for text in ["1", "1.5", "-1e-5", "1e-3", " 1 ", "nan", "inf", "-Infinity", "1_000", "010"]
    ),
    *(("number", text) for text in ["1", "1.5", "1e3"]),
    *(("int", text) for text in ["1", "-3", "+3", "010", "1_000", " 5 "]),
    *(("bool", text) for text in ["true", "False", "YES", "no", "On", "off", "1", "0", "t", "F", "y", "N"]),
    *(("string", text) for text in ["", "x", "1", "\n"]),
    *(("uri", text) for text in ["s3://b/k", "file:/x", "https://h", "runs:/1/m", "urn:a:b", "S3://b"]),
    *(("path", text) for text in ["", "x"]),
]
BAD: list[tuple[ParameterType, str, str]] = [
    *(("float", text, "is not a float") for text in ["", "abc", "1,5", "0x1F", "1.5.2", "1e"]),
    *(("number", text, "is not a number") for text in ["", "many"]),
    *(("int", text, "is not an integer") for text in ["", "1.5", "1e3", "0x1F", "nan", "five", "5.0"]),
    *(("bool", text, "is not a boolean") for text in ["", "2", "maybe", " true"]),
    *(("uri", text, "is not a URI") for text in ["", "x", "/a/b", "C:\\x", "s3:", "1a:b", "://x"]),
]


@pytest.mark.parametrize(("kind", "text"), GOOD)
def test_good_values(kind: ParameterType, text: str) -> None:
    assert type_problem(kind, text) == ""


@pytest.mark.parametrize(("kind", "text", "problem"), BAD)
def test_bad_values(kind: ParameterType, text: str, problem: str) -> None:
    assert type_problem(kind, text).startswith(problem)


def test_an_integer_too_long_for_python_is_refused_and_does_not_hang() -> None:
    assert type_problem("float", "9" * 10_000) == ""
    assert type_problem("int", "9" * 10_000) == "is not an integer"


FLOAT = Parameter("p", "float", "float")
STRING = Parameter("p", "string", "string")


@pytest.mark.parametrize(
    ("parameter", "text", "problem"),
    [
        (FLOAT._replace(minimum=1), "1", ""),
        (FLOAT._replace(minimum=1), "0.99", "is less than the minimum 1"),
        (FLOAT._replace(maximum=2.5), "2.5", ""),
        (FLOAT._replace(maximum=2.5), "inf", "is more than the maximum 2.5"),
        (FLOAT._replace(minimum=1), "nan", "is less than the minimum 1"),
        (FLOAT._replace(maximum=1), "nan", "is more than the maximum 1"),
        (FLOAT._replace(minimum=1), "x", "is not a float"),
        (Parameter("p", "int", "int", maximum=3), "4", "is more than the maximum 3"),
        (STRING._replace(minimum=1), "x", ""),
        (STRING._replace(choices=("fast", "slow")), "fast", ""),
        (STRING._replace(choices=("fast", "slow")), "Fast", "is not one of fast, slow"),
        (STRING._replace(choices=("0.10",)), "0.1", "is not one of 0.10"),
        (FLOAT._replace(choices=("0.10", "1e3")), "0.1", ""),
        (FLOAT._replace(choices=("0.10", "1e3")), "1000", ""),
        (FLOAT._replace(choices=("0.10", "other")), "2", "is not one of 0.10, other"),
        (STRING._replace(choices=("a b", "c\n")), "d", "is not one of 'a b', 'c\\n'"),
        (STRING._replace(pattern="[a-z]+"), "abc", ""),
        (STRING._replace(pattern="[a-z]+"), "abc1", "does not match the pattern '[a-z]+'"),
        (STRING._replace(pattern="[a-z]+"), "abc\n", "does not match the pattern '[a-z]+'"),
    ],
)
def test_constraints(parameter: Parameter, text: str, problem: str) -> None:
    assert value_problem(parameter, text) == problem


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("s3://b", "s3"),
        ("S3://b", "s3"),
        ("mlflow-artifacts:/x", "mlflow-artifacts"),
        ("C:\\x", ""),
        ("a/b:c", ""),
        ("", ""),
        (":x", ""),
        ("x:", ""),
        ("file:\n", "file"),
    ],
)
def test_schemes(text: str, scheme: str) -> None:
    assert scheme_of(text) == scheme
