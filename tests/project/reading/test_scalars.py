from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projrun.errors import RequestError
from projrun.project.reading.document import parse_document
from projrun.project.reading.nodes import entries
from projrun.project.reading.report import Report
from projrun.project.reading.scalars import author_text


def text_of(source: str) -> str | None:
    """The text of the value of `v` in a YAML mapping."""
    report = Report(parse_document("M", f"v: {source}"))
    return author_text(entries(report.document.root, "M", report)["v"].value, report)


@pytest.mark.parametrize(
    "source",
    [
        "1",
        "010",
        "-010",
        "08",
        "0o17",
        "+1",
        "1_000",
        "0.10",
        "1e-5",
        "1.5e3",
        "1.5e+3",
        "1.",
        "12:30:45",
        "12:30",
        "2001-01-01",
        "2001-13-45",
        "2001-12-14t21:59:43.10-05:00",
        "fast",
        "a b",
        "=",
        "y",
        "0",
        "-0.0",
    ],
)
def test_plain_scalars_keep_their_source_text(source: str) -> None:
    assert text_of(source) == source


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("0x1F", "31"),
        ("-0x1f", "-31"),
        ("0b11", "3"),
        (".inf", "inf"),
        ("-.INF", "-inf"),
        ("+.inf", "inf"),
        (".NaN", "nan"),
        ("yes", "True"),
        ("off", "False"),
        ("true", "True"),
        ("False", "False"),
        ("[1, 2.50, a]", "[1, 2.5, 'a']"),
        ("{a: 1}", "{'a': 1}"),
        ("[]", "[]"),
        ("!!str 0x1F", "0x1F"),
        ("!!float 1", "1.0"),
        ("!!int '7'", "7"),
        ("!!binary aGk=", "b'hi'"),
        ("'010'", "010"),
        ('"0x1F"', "0x1F"),
        ("'.inf'", ".inf"),
        ("'null'", "null"),
        ("''", ""),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("&a 0.10", "0.10"),
    ],
)
def test_other_values_are_what_mlflow_makes_of_them(source: str, text: str) -> None:
    assert text_of(source) == text


@pytest.mark.parametrize("source", ["", "~", "null", "NULL", "!!null x"])
def test_null_is_no_text(source: str) -> None:
    assert text_of(source) is None


@pytest.mark.parametrize(
    "source",
    ["!!int x", "!!bool maybe", "!!timestamp x", "!python/object:os.system x", "!mine 1", "[!mine 1]"],
)
def test_values_that_their_tag_does_not_fit_are_refused(source: str) -> None:
    with pytest.raises(RequestError, match=r"^M:1:4: "):
        text_of(source)


NUMBER_LIKE = st.from_regex(
    re.compile(r"[-+]?[0-9][0-9_.:]{0,8}(e[-+]?[0-9]{1,3})?", re.ASCII), fullmatch=True
)


@given(NUMBER_LIKE)
def test_whatever_begins_with_a_digit_keeps_its_text(source: str) -> None:
    try:
        loaded = yaml.safe_load(f"v: {source}")["v"]
    except (yaml.YAMLError, ValueError, TypeError):
        return  # not one value (`1: 2`), or what PyYAML itself refuses
    text = text_of(source)
    assert text == source
    if isinstance(loaded, str):
        assert text == loaded


@given(
    st.integers() | st.floats() | st.booleans() | st.none() | st.text(alphabet=st.characters(codec="utf-8"))
)
def test_dumped_values_come_back_as_yaml_means_them(value: object) -> None:
    dumped = yaml.safe_dump({"v": value}, allow_unicode=True)
    report = Report(parse_document("M", dumped))
    text = author_text(entries(report.document.root, "M", report)["v"].value, report)
    if value is None:
        assert text is None
    elif isinstance(value, float):
        assert text is not None
        assert repr(float(text)) == repr(value)
    elif isinstance(value, str):
        assert text == yaml.safe_load(dumped)["v"]  # PyYAML itself dumps a NEL as what loads as a space
    else:
        assert text == str(value)
