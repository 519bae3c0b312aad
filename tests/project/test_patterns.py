"""A pattern that would take years is stopped after two seconds; plain ones cost no process."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project import patterns
from projrun.project.loader import load_project
from projrun.project.patterns import is_cheap, matches, pattern_problem
from tests.support.projects import write_project


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[a-z]+", "a" * 50),
        (r"s3://[\w.-]+/.*", "s3://bucket/key"),
        (r"\d{4}-\d{2}-\d{2}", "2024-01-01"),
        ("a|b|c", "c"),
    ],
)
def test_plain_patterns_start_no_process(pattern: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **options: object) -> None:
        raise AssertionError("a process")

    monkeypatch.setattr(subprocess, "run", refuse)
    assert pattern_problem(pattern) == ""
    assert matches(pattern, text)
    assert not matches(pattern, f"{text}!\n")


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("(a+)+b", 3),
        ("(a|a)*b", 3),
        ("(?x)(a+) # c\n +b", 3),
        ("a*a*a*a*b", 100),
        ("(?i)a+", 3),
        ("(a|a)" * 12, 12),
    ],
)
def test_others_are_not_cheap(pattern: str, length: int) -> None:
    assert not is_cheap(pattern, length)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [("(ab)+", "abab", True), ("(ab)+", "aba", False), ("(?i)a+", "Aa", True), ("(a|é)*", "é", True)],
)
def test_another_process_says_the_same(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.parametrize("pattern", ["(", "(?i)(", "(?P<1>a)", "a{99999999999999}", "(" * 900, "x" * 1001])
def test_what_is_no_pattern(pattern: str) -> None:
    assert pattern_problem(pattern) != ""


@pytest.mark.integration  # takes them
def test_years_are_two_seconds() -> None:
    before = time.monotonic()
    with pytest.raises(RequestError, match=r"'\(a\+\)\+b' takes longer than 2 s"):
        matches("(a+)+b", "a" * 100)
    assert time.monotonic() - before < patterns._PATIENCE


def test_a_project_may_declare_one(tmp_path: Path) -> None:
    project = write_project(
        tmp_path, "entry_points: {main: {parameters: {a: {pattern: '(a+)+b'}}, command: 'echo {a}'}}\n"
    )
    assert load_project(project).entry_points["main"].parameters["a"].pattern == "(a+)+b"
