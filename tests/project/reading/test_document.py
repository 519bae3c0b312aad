from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.errors import RequestError
from projrun.project.model import Location
from projrun.project.reading.document import parse_document
from projrun.project.text import LARGEST_FILE, LocatedError, decode, excerpt, find_text, read_text

BILLION_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 30)
)
LONG_TEXT_MANY_TIMES = f"a: &a {'x' * 200_000}\nb: [{', '.join(['*a'] * 5000)}]\n"
MERGE_CHAIN = "a0: &a0 {x: 1}\n" + "".join(
    f"a{level}: &a{level} {{<<: *a{level - 1}}}\n" for level in range(1, 5000)
)

REFUSED = {
    "an open list": ("a: [1\nb: 2", "M:2:2", "YAML: "),
    "a mapping in a value": ("a: 1\n b: 2", "M:2:3", "YAML: mapping values are not allowed"),
    "a second document": ("a: 1\n---\nb: 2", "M:2:1", "a second YAML document"),
    "an unknown alias": ("a: *b", "M:1:4", "undefined alias"),
    "an anchor that contains itself": ("a: &a [*a]", "M:1:4", "an alias of itself"),
    "a control character": ("a: b\nc: \x1b[2J", "M:2:4", "U+001B"),
    "a tab as indentation": ("a:\n\tb: 1", "M:2:1", "YAML: "),
    "deep flow lists": ("[" * 300_000, "M:1:65", "nested deeper"),
    "deep flow mappings": ("a: " + "{" * 300_000, "M:1:67", "nested deeper"),
    "deep flow lists in UTF-8": ("é: ü\nb: " + "[" * 2000, "M:2:67", "nested deeper"),
    "a mistake before deep flow lists": ("[[,[" + "[" * 3000, "M:1:3", "did not find expected node content"),
    "a mistake after deep flow lists": ("[" * 900 + "@", "M:1:65", "nested deeper"),
    "deep block lists": ("- " * 100_000, "M:1:129", "nested deeper"),
    "deep complex keys": ("? " * 100_000, "M:1:129", "nested deeper"),
    "billion laughs": (BILLION_LAUGHS, "M:5:5", "expand to too much"),
    "one long text many times": (LONG_TEXT_MANY_TIMES, "M:2:4", "expand to too much"),
    "a long chain of merges": (MERGE_CHAIN, "M:64:6", "expand to too much"),
    "a great many values": ("[" + "1," * 150_000 + "]", "M:1:", "more than 100000 values"),
}


@pytest.mark.parametrize(("text", "place", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_with_a_place(text: str, place: str, problem: str) -> None:
    started = time.monotonic()
    with pytest.raises(LocatedError) as caught:
        parse_document("M", text)
    assert caught.value.message.startswith(place)
    assert problem in caught.value.message
    assert time.monotonic() - started < 20


def test_tabs_get_a_remedy() -> None:
    with pytest.raises(LocatedError) as caught:
        parse_document("M", "a:\n\tb: 1")
    assert "spaces" in caught.value.hint


def test_what_an_unfinished_list_began_with_is_told() -> None:
    with pytest.raises(LocatedError, match=r"flow sequence that begins on line 2"):
        parse_document("M", "a: 1\nb: [1,\nc: 2")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_empty_files_have_no_root(text: str) -> None:
    root = parse_document("M", decode("M", text.encode())).root
    assert root is None or root.value == ""


def test_aliases_and_anchors_work() -> None:
    assert parse_document("M", "a: &a [1, 2]\nb: *a\nc: *a\n").root is not None


def test_a_byte_order_mark_is_dropped() -> None:
    assert decode("M", b"\xef\xbb\xbfname: x") == "name: x"


def test_not_utf_8_names_the_byte() -> None:
    with pytest.raises(LocatedError, match=r"^M:2:4: byte 0xe9 is not UTF-8") as caught:
        decode("M", "a: ä\nb: ".encode() + "é".encode("latin-1"))
    assert caught.value.code == "not-utf-8"


def test_too_large_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "MLproject"
    path.write_bytes(b"#" * (LARGEST_FILE + 1))
    with pytest.raises(RequestError, match="MLproject is larger than 1 MiB"):
        read_text(path, "MLproject")


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot read MLproject: No such file"):
        read_text(tmp_path / "MLproject", "MLproject")


def test_the_caret_stands_below_the_column() -> None:
    assert excerpt("name: x\n  env: y", Location("M", 2, 8)) == "  env: y\n       ^"


def test_excerpts_hold_no_control_characters_and_keep_their_columns() -> None:
    shown = excerpt("a\x1b[31m\tb", Location("M", 1, 7))
    assert shown == "a [31m b\n      ^"


def test_excerpts_of_long_lines_are_cut_around_the_column() -> None:
    line, caret = excerpt("x" * 5000 + "!" + "y" * 5000, Location("M", 1, 5001)).split("\n")
    assert len(line) == 100
    assert line[len(caret) - 1] == "!"


@pytest.mark.parametrize("line", [0, 3, 99])
def test_excerpts_outside_the_file_are_empty(line: int) -> None:
    assert excerpt("a\nb", Location("M", line, 1)) == ""


def test_text_is_found_after_a_place(tmp_path: Path) -> None:
    path = tmp_path / "MLproject"
    path.write_text("{x}\na: {x}\nb: |\n  run {x}\n")
    assert find_text(path, Location("MLproject", 3, 4), "{x}") == Location("MLproject", 4, 7)
    assert find_text(path, Location("MLproject", 3, 4), "{y}") == Location("MLproject", 3, 4)
    assert find_text(tmp_path / "gone", Location("MLproject", 3, 4), "{x}") == Location("MLproject", 3, 4)
    assert find_text(None, None, "{x}") is None


@given(
    st.text(alphabet=st.characters(codec="utf-8"))
    | st.text(alphabet="a:-[]{}&*!|>'\"%@`#? \n\t,<", max_size=60)
)
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parse_document("M", text)
    except RequestError as error:
        assert "\n" not in error.message
