from __future__ import annotations

import pytest

from projrun.errors import RequestError
from projrun.project.reading import nodes
from projrun.project.reading.document import parse_document
from projrun.project.reading.report import Collector, Report


def read(text: str) -> dict[str, str | None]:
    """The texts of a mapping."""
    report = Report(parse_document("M", text))
    found = nodes.entries(report.document.root, "M", report)
    return {name: nodes.text(entry, name, report) for name, entry in found.items()}


def test_merge_keys_are_followed_and_own_keys_win() -> None:
    text = "<<: [{a: first, b: first}, {b: second, c: second}]\nc: own"
    assert read(text) == {"a": "first", "b": "first", "c": "own"}


def test_merge_keys_through_an_alias() -> None:
    report = Report(parse_document("M", "base: &b {a: 1}\nuse: {<<: *b, c: 2}"))
    root = nodes.entries(report.document.root, "M", report)
    assert list(nodes.entries(root["use"].value, "use", report)) == ["a", "c"]


def test_a_quoted_merge_sign_is_a_name() -> None:
    assert read("'<<': x") == {"<<": "x"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]: 1", r"^M:1:1: a key must be a plain word"),
        ("- a", r"^M:1:1: M must be a mapping"),
        ("a", r"^M:1:1: M must be a mapping"),
        ("<<: 5", r"^M:1:5: what a merge key"),
        ("a: [1]", r"^M:1:4: a must be text"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        read(text)


@pytest.mark.parametrize(
    ("text", "values", "warning"),
    [
        (
            "a: 1\nb: 2\na: 3",
            {"a": "3", "b": "2"},
            "M:3:1: duplicate key 'a', first used on line 1",
        ),
        (
            "1: x\n'1': y",
            {"1": "y"},
            "M:2:1: duplicate key '1', first used on line 1",
        ),
    ],
)
def test_of_two_equal_keys_the_last_one_counts(text: str, values: dict[str, str], warning: str) -> None:
    report = Report(parse_document("M", text))
    found = nodes.entries(report.document.root, "M", report)
    assert {name: nodes.text(entry, name, report) for name, entry in found.items()} == values
    assert report.warnings == [f"{warning}; keep one of them: the last one counts"]


def test_a_collector_goes_on() -> None:
    report = Collector(parse_document("M", "a: 1\na: 2\n[x]: 1\nb: 3"))
    assert list(nodes.entries(report.document.root, "M", report)) == ["a", "b"]
    assert [finding.code for finding in report.findings] == ["duplicate-key", "bad-key"]
