"""The small language of `--fail-if`."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.cli.gate.rules import UndefinedError, Value, parse_rule
from projrun.errors import RequestError

RUN = {"rmse": 0.8, "r2": 0.5, "val loss": 2.0, "a.b": 3.0, "nan": math.nan}
BASELINE = {"rmse": 0.5, "r2": 0.6}


def look(value: Value) -> float:
    if value.section == "params":
        return 7.0
    return (BASELINE if value.of_baseline else RUN)[value.name]


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("metrics.rmse > 0.7", True),
        ("metrics.rmse>.8e0", False),
        ("metrics.rmse >= 0.8 and metrics.r2 == .5", True),
        ("metrics.rmse > baseline * 1.02", True),
        ("baseline * 2 < metrics.rmse", False),
        ("metrics.rmse - baseline > 0.2999", True),
        ("metrics.rmse > baseline.metrics.r2", True),
        ("metrics.`val loss` != 2", False),
        ('metrics."val loss" <= 2', True),
        ("metrics.a.b == 3", True),
        ("params.depth == 7", True),
        ("not metrics.rmse > 1 or metrics.rmse > 1", True),
        ("not (metrics.rmse > 0.7 or metrics.r2 > 1)", False),
        ("1 < 2 or 1 < 2 and 1 > 2", True),
        ("(1 < 2 or 1 < 2) and 1 > 2", False),
        ("1 + 2 * 3 == 7", True),
        ("(1 + 2) * 3 == 9", True),
        ("8 / 4 / 2 == 1", True),
        ("5 - 2 - 1 == 2", True),
        ("-metrics.rmse < -0.7", True),
        ("2 - -1 == 3", True),
    ],
)
def test_rules_and_their_truth(text: str, truth: bool) -> None:
    assert parse_rule(text).holds(look) is truth


@pytest.mark.parametrize(
    "text",
    ["metrics.nan > 1", "not metrics.nan > 1", "1 < 2 or metrics.nan < 1", "1 / 0 > 1", "1e999 - 1e999 < 1"],
)
def test_what_is_not_a_number_is_neither_true_nor_false(text: str) -> None:
    with pytest.raises(UndefinedError):
        parse_rule(text).holds(look)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1), ("metrics.rmse", 13), ("1 + 2", 6), ("metrics.rmse >", 15), ("metrics.rmse > 1)", 17), ("(1 < 2", 7),
        ("1 < 2 < 3", 7), ("1 + (1 < 2) > 1", 3), ("1 < 2 and 3", 7), ("not 1", 1), ("rmse > 1", 1),
        ("metrics. > 1", 1),
        ("metrics.rmse > __import__('os')", 16), ("baseline > 1", 10), ("baseline.rmse > 1", 1), ("1 < 2; 1", 6),
        ("metrics.rmse ** 2 > 1", 15), ("1 < 1.2.3", 8), ("metrics.é > 1", 1), ("(" * 60 + "1" + ")" * 60 + " < 2", 52),
        ("not " * 60 + "1 < 2", 205), ("-" * 60 + "1 < 2", 52),
    ],
)  # fmt: skip
def test_mistakes_name_their_place(text: str, place: int) -> None:
    with pytest.raises(RequestError, match=rf"at character {place}$"):
        parse_rule(text)


def test_a_long_rule_is_refused_and_the_longest_is_judged() -> None:
    assert parse_rule("1" + "+1" * 247 + " > 1").holds(look)
    with pytest.raises(RequestError, match="more than 500 characters"):
        parse_rule("1" + "+1" * 300 + " > 1")


@given(st.text(alphabet='metrics.b0 <>=+-*/()`"andort1e\n', max_size=60))
def test_any_text_is_a_rule_or_a_mistake(text: str) -> None:
    try:
        rule = parse_rule(text)
    except RequestError:
        return
    with suppress(UndefinedError):
        assert rule.holds(lambda value: 1.0) in (True, False)


@pytest.mark.parametrize(
    ("text", "leader"),
    [
        ("metrics.rmse > 1", ("rmse", True)),
        ("metrics.r2 < baseline", ("r2", False)),
        ("0.5 > metrics.r2", ("r2", False)),
        ("params.x > 1 and metrics.rmse >= 2", ("rmse", True)),
        ("metrics.rmse == 1", None),
        ("baseline.metrics.a > 1", None),
    ],
)
def test_which_values_are_good(text: str, leader: tuple[str, bool] | None) -> None:
    assert parse_rule(text).leader == leader
