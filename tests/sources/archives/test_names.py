from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.sources.archives.errors import UnpackError
from projrun.sources.archives.names import folded, is_left_out, is_repository, parse_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a", ("a",)),
        ("a/b.txt", ("a", "b.txt")),
        ("a/b/", ("a", "b")),
        ("./a//b/.", ("a", "b")),
        ("./", ()),
        (".", ()),
        ("...", ("...",)),
        ("a..b/..c", ("a..b", "..c")),
        (" a", (" a",)),
        ("1:a", ("1:a",)),
        ("é/\udcff", ("é", "\udcff")),
        ("x" * 255, ("x" * 255,)),
        ("/".join("x" * 100), tuple("x" * 100)),
    ],
)
def test_names(name: str, parts: tuple[str, ...]) -> None:
    assert parse_name(name) == parts


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "it has a member without a name"),
        ("/etc/passwd", "its member '/etc/passwd' has an absolute name"),
        ("//a", "has an absolute name"),
        ("C:/a", "has an absolute name"),
        ("c:a", "has an absolute name"),
        ("..", "leads out of the archive by '..'"),
        ("../a", "its member '../a' leads out of the archive by '..'"),
        ("a/../b", "leads out"),
        ("a/..", "leads out"),
        ("./../a", "leads out"),
        ("..\\a", r"its member '..\\\\a' has a backslash in its name"),
        ("a\0b", r"its member 'a\\x00b' has control characters in its name"),
        ("a\nb", "control characters"),
        ("a\x1b[31m", r"its member 'a\\x1b\[31m' has control characters"),
        ("a\x7f", "control characters"),
        ("a\x9b31m", "control characters"),
        ("x" * 256, "has a name that is too long"),
        ("é" * 128, "has a name that is too long"),
        ("/".join(["x" * 200] * 6), "has a name that is too long"),
        ("/".join("x" * 101), "has a name that is too long"),
    ],
)
def test_refused_names(name: str, words: str) -> None:
    with pytest.raises(UnpackError, match=f"^is refused: .*{words}"):
        parse_name(name)


def test_long_name_is_shown_in_part_and_nothing_of_it_prints_strangely() -> None:
    with pytest.raises(UnpackError) as caught:
        parse_name("/\u202e\ud800" + "x" * 5000)
    assert len(caught.value.text) < 300
    assert caught.value.text.isascii() or caught.value.text.replace("…", "").isascii()


@given(
    st.lists(st.sampled_from(["", ".", "..", "a", "\\", "/", "C:", "é", "\0", "\n", "x" * 256])).map("/".join)
    | st.text()
)
def test_no_name_leads_out(name: str) -> None:
    try:
        parts = parse_name(name)
    except UnpackError:
        return
    for part in parts:
        assert part not in ("", ".", "..")
        assert not set(part) & set("/\\\0")


@pytest.mark.parametrize(
    ("one", "other"),
    [("README", "readme"), ("é", "e\u0301"), ("ﬁ", "FI"), ("a\u200db", "ab"), ("Straße", "STRASSE")],
)
def test_folded_names_are_equal_where_a_file_system_may_take_them_for_one(one: str, other: str) -> None:
    assert folded((one, "x")) == folded((other, "X"))


def test_folded_names_differ_otherwise() -> None:
    assert len({folded((name,)) for name in ("a", "b", "é", "e", "a.", "a b")}) == 6


@pytest.mark.parametrize(
    "place",
    [
        ".git",
        "a/.git/config",
        ".GIT/hooks/post-checkout",
        ".g\u200cit",
        "git~1",
        "a/.git ",
        ".git./x",
        ".gi\u200dT",
    ],
)
def test_repositories_are_left_out_whatever_they_are_called(place: str) -> None:
    parts = tuple(place.split("/"))
    assert is_repository(parts)
    assert is_left_out(parts)


@pytest.mark.parametrize("place", ["__MACOSX/a/b", "._project"])
def test_what_packing_on_macos_adds_is_left_out(place: str) -> None:
    parts = tuple(place.split("/"))
    assert is_left_out(parts)
    assert not is_repository(parts)


@pytest.mark.parametrize(
    "place", ["", "a/__MACOSX", "a/._b", ".gitignore", ".github/x", "git", "a.git", "git~2"]
)
def test_what_is_not_left_out(place: str) -> None:
    assert not is_left_out(tuple(place.split("/")) if place else ())
