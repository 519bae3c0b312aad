"""Python versions and requests for them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from projrun_backends.environments.python.versions import PythonRequest, PythonVersion


def version(text: str) -> PythonVersion:
    parsed = PythonVersion.parse(text)
    assert parsed is not None
    return parsed


def request(text: str) -> PythonRequest:
    parsed = PythonRequest.parse(text)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize("text", ["3.8.18", "3.14.0rc1", "3.15.0a3", "2.7.18"])
def test_a_version_is_written_as_it_was_read(text: str) -> None:
    assert str(version(text)) == text


@pytest.mark.parametrize("text", ["3.8", "3", "", "3.8.x", "3.8.18t", "python3.8.1"])
def test_what_is_no_full_version(text: str) -> None:
    assert PythonVersion.parse(text) is None


def test_versions_are_ordered() -> None:
    texts = ["3.9.20", "3.10.1", "3.14.0a7", "3.14.0rc1", "3.14.0rc2", "3.14.0", "3.14.1"]
    assert [str(one) for one in sorted(map(version, reversed(texts)))] == texts


@pytest.mark.parametrize(
    ("asked", "taken", "refused"),
    [
        ("3.8", "3.8.18", "3.9.0"),
        ("3.1", "3.1.5", "3.10.2"),
        ("3", "3.13.0", "2.7.18"),
        ("3.8.15", "3.8.15", "3.8.16"),
        ("=3.11", "3.11.7", "3.12.0"),
        ("==3.11", "3.11.7", "3.12.0"),
        ("=3.11.*", "3.11.7", "3.12.0"),
        ("3.11.*", "3.11.0", "3.1.0"),
        ("==3.11.7", "3.11.7", "3.11.8"),
        (">=3.10,<3.13", "3.12.1", "3.13.0"),
        (">=3.10, <3.13", "3.10.0", "3.9.18"),
        (">3.9", "3.9.5", "3.8.1"),
        ("<=3.9", "3.9.0", "3.9.1"),
        ("~=3.9", "3.12.1", "4.0.0"),
        ("~=3.9.2", "3.9.5", "3.10.0"),
        (">=3.8,!=3.9.*", "3.10.0", "3.9.7"),
        ("3.10|3.12", "3.12.1", "3.11.7"),
        (">=3.14.0rc1", "3.14.0", "3.13.9"),
        ("*", "3.9.1", ""),
    ],
)
def test_what_a_request_takes(asked: str, taken: str, refused: str) -> None:
    assert request(asked).matches(version(taken))
    assert not refused or not request(asked).matches(version(refused))


@pytest.mark.parametrize("text", ["", "three", "3.8; rm -rf /", "python3.8", ">=", "3.8,", "^3.9", "3..8"])
def test_what_is_no_request(text: str) -> None:
    assert PythonRequest.parse(text) is None


@pytest.mark.parametrize(
    ("asked", "plain", "minor"),
    [
        ("3.8.12", "3.8.12", "3.8"),
        ("=3.8.12", "3.8.12", "3.8"),
        ("==3.8.12", "3.8.12", "3.8"),
        ("3.8.12.*", "3.8.12", "3.8"),
        ("3.8", "3.8", None),
        ("=3.8.*", "3.8", None),
        (">=3.8.12,<3.9", ">=3.8.12,<3.9", None),
        ("~=3.8.12", "~=3.8.12", None),
        ("3.8.12|3.9.1", "3.8.12", None),
        ("*", "*", None),
    ],
)
def test_the_plain_version_and_its_other_patches(asked: str, plain: str, minor: str | None) -> None:
    same_minor = request(asked).same_minor()
    assert (request(asked).plain, same_minor and same_minor.text) == (plain, minor)


@given(
    operator=st.sampled_from([">=", "<=", ">", "<", "~=", "!="]),
    wanted=st.lists(st.integers(0, 12), min_size=2, max_size=3),
    minor=st.integers(0, 12),
    micro=st.integers(0, 12),
)
def test_inequalities_are_those_of_pep_440(operator: str, wanted: list[int], minor: int, micro: int) -> None:
    text = operator + ".".join(map(str, wanted))
    candidate = f"3.{minor}.{micro}"
    expected = SpecifierSet(text + ".*" if operator == "!=" else text).contains(candidate)
    assert request(text).matches(version(candidate)) == expected


CLAUSES = st.tuples(
    st.sampled_from([">=", "<=", ">", "<", "~=", "!=", "=="]),
    st.lists(st.integers(0, 3), min_size=1, max_size=2),
)


def written(clauses: list[tuple[str, list[int]]]) -> str:
    return ",".join(f"{operator}3.{'.'.join(map(str, numbers))}" for operator, numbers in clauses)


@given(mine=st.lists(CLAUSES, min_size=1, max_size=3), theirs=st.lists(CLAUSES, min_size=1, max_size=3))
def test_two_requests_overlap_where_a_version_matches_both(
    mine: list[tuple[str, list[int]]], theirs: list[tuple[str, list[int]]]
) -> None:
    one, other = request(written(mine)), request(written(theirs))
    candidates = [PythonVersion(*release) for release in product((2, 3, 4), range(6), range(6))]
    common = [version for version in candidates if one.matches(version) and other.matches(version)]
    assert one.overlaps(other) == bool(common)
    both = one.limited_to(other)
    assert (both.text, [version for version in candidates if both.matches(version)]) == (one.text, common)


@pytest.mark.parametrize(
    ("asked", "possible"), [("3.8", False), ("3.11.7", True), (">=3.8", True), ("2", False)]
)
def test_a_minor_version_may_be_ruled_out_unasked(asked: str, possible: bool) -> None:
    assert request(asked).may_match(3, 11) == possible
