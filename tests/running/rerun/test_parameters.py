"""The parameters of a recorded run, and what no record holds."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.errors import RequestError
from projrun.project.binding import GivenValue
from projrun.running.rerun.parameters import repeated_parameters, unquoted
from projrun.running.rerun.record import Record, read_record
from tests.running.rerun.records import recorded


def record_of(params: dict[str, str], *names: str, **tags: str | None) -> Record:
    import json

    return read_record(recorded(params, **{"projrun__parameters": json.dumps(names), **tags}))


def test_only_what_the_run_was_given_in_its_order_then_what_is_new() -> None:
    record = record_of({"a": "1", "b": "2", "logged": "3"}, "b", "a")
    anew = GivenValue("7", "command line")
    values = repeated_parameters(record, {"new": anew, "a": anew})
    assert [(name, value.text, value.origin) for name, value in values.items()] == [
        ("b", "2", "record"),
        ("new", "7", "command line"),
        ("a", "7", "command line"),
    ]


def test_what_no_record_holds_is_asked_for_all_at_once() -> None:
    params = {"token": "***", "long": "xxx", "place": "https://host/x?sig=***", "fine": "a*b"}
    record = record_of(params, *params, "gone", projrun__param__long__truncated="9000")
    with pytest.raises(RequestError) as raised:
        repeated_parameters(record, {})
    assert "token, long, place, gone" in raised.value.message
    assert raised.value.hint == "give -P token=VALUE -P long=VALUE -P place=VALUE -P gone=VALUE"
    assert raised.value.detail.splitlines()[0] == "token is a secret, which is never recorded"
    anew = GivenValue("x", "command line")
    values = repeated_parameters(record, dict.fromkeys(("token", "long", "place", "gone"), anew))
    assert {name for name, value in values.items() if value.origin == "record"} == {"fine"}


def test_values_of_mlflow_lose_its_quotes_and_count_only_where_they_are_declared() -> None:
    record = record_of({"a": "'two words'", "b": "***"}, projrun__version=None, projrun__parameters=None)
    values = repeated_parameters(record, {})
    assert [(value.text, value.if_declared) for value in values.values()] == [
        ("two words", True),
        ("***", True),
    ]


@given(st.text())
def test_every_word_that_mlflow_quotes_is_read_back(text: str) -> None:
    assert unquoted(shlex.quote(text)) == text


@pytest.mark.parametrize("text", ["two words", "it's", "'a' b", '"a"', "a'b'"])
def test_text_that_is_not_as_mlflow_writes_it_stays(text: str) -> None:
    assert unquoted(text) == text


def test_defaults_that_no_record_holds_stay_defaults() -> None:
    lost = {"secret": "***", "url": "https://h/?key=***"}
    defaults = record_of({**lost, "a": "1"}, "secret", "url", "a", projrun__given='["a"]')
    assert list(repeated_parameters(defaults, {})) == ["a"]
    assert repeated_parameters(defaults, {})["a"].is_given
    given = record_of({**lost, "a": "1"}, "secret", "url", "a", projrun__given='["secret"]')
    with pytest.raises(RequestError, match=r"lacks the value of secret$"):
        repeated_parameters(given, {})
    unknown = record_of({"a": "1"}, "a")
    assert not repeated_parameters(unknown, {})["a"].is_given


def test_relative_paths_keep_their_folder_where_it_is_still_there(tmp_path: Path) -> None:
    here = record_of({"data": "x"}, "data", projrun__caller_directory=str(tmp_path))
    gone = record_of({"data": "x"}, "data", projrun__caller_directory=str(tmp_path / "gone"))
    assert repeated_parameters(here, {})["data"].directory == tmp_path
    assert repeated_parameters(gone, {})["data"].directory is None


@pytest.mark.parametrize(
    ("source", "inside"),
    [
        ("file://{top}", "."),
        ("file://{top}#train", ".."),
        ("{top}#train", ".."),
        ("file://{top}-other", None),
        ("https://host/repository", None),
    ],
)
def test_a_folder_inside_the_repository_is_that_of_the_commit(
    tmp_path: Path, source: str, inside: str | None
) -> None:
    record = record_of(
        {"data": "x"},
        "data",
        projrun__caller_directory=str(tmp_path),
        mlflow__source__name=source.format(top=tmp_path),
    )
    assert repeated_parameters(record, {})["data"].inside == (
        inside if inside is None else os.path.normpath(inside)
    )
