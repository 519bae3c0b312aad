"""conda's version constraints as PEP 440's: compared with py-rattler, which installs by conda's, and packaging."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from projrun_backends.environments.translation.match_specs import parse_match_spec
from projrun_backends.environments.translation.versions import specifiers


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("", ""),
        ("*", ""),
        ("=*", ""),
        ("=1.2", "==1.2.*"),
        ("=1.2.*", "==1.2.*"),
        ("1.2.*", "==1.2.*"),
        ("1.2*", "==1.2.*"),
        ("1.2", "==1.2"),
        ("==1.2", "==1.2"),
        (">=1.2,<2", ">=1.2,<2"),
        (">=1.2.*", ">=1.2"),
        ("!=1.2.*", "!=1.2.*"),
        ("~=1.2.3", "~=1.2.3"),
        ("=1.2rc1", "==1.2rc1"),
        ("=1.10+cu113", "==1.10+cu113"),
        ("1!2.0", "==1!2.0"),
        ("=1.2|=1.2.*", "==1.2.*"),
        ("=1.2|*", ""),
    ],
)
def test_the_same_in_the_words_of_pep_440(version: str, said: str) -> None:
    assert specifiers(version) == said
    SpecifierSet(said)


@pytest.mark.parametrize(
    "version",
    [
        "=1.2|=1.4",
        ">=1,<2|>=3",
        "2021a",
        "9e",
        "1.*.3",
        "~=1",
        "~=1.*",
        ">1.0+cu1",
        "^1.2$",
        "(>=1)",
        "<2>=1",
        "1" * 5000,
    ],
)
def test_what_pep_440_cannot_say(version: str) -> None:
    assert specifiers(version) is None


def test_a_version_with_a_number_more_on_pypi() -> None:
    assert specifiers("==4.6.0", numbered=True) == "==4.6.0.*"
    assert specifiers(">=4.5,<4.7", numbered=True) == ">=4.5,<4.7"


RELEASES = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
CLAUSES = st.tuples(
    st.sampled_from(["=", "==", ">=", "<=", ">", "<", "!=", "~=", ""]),
    RELEASES,
    st.sampled_from(["", "", ".*", "*"]),
).map("".join)
VERSIONS = st.lists(CLAUSES, min_size=1, max_size=3).map(",".join)
BUILDS = st.sampled_from(["", "=0", "=py310_0", " h1_0"])
SPECS = st.tuples(st.sampled_from(["x ", "conda-forge::x "]), VERSIONS, BUILDS).map("".join)
CANDIDATES = [f"{a}.{b}.{c}" for a in range(5) for b in range(5) for c in range(5)]


@settings(max_examples=100, deadline=None)
@given(SPECS)
@example("x =1.2")
@example("x =1.2.3=0")
@example("x 1.2.*")
@example("x >=1.2.*,<2")
def test_the_versions_admitted_are_those_that_conda_installs(text: str) -> None:
    rattler = pytest.importorskip("rattler")
    spec = parse_match_spec(text)
    said = specifiers(spec.version) if spec else None
    if spec is None or said is None or re.search(r"==[\d.]+\*(?!$)|,==[\d.]+\*", text):
        return  # of `==1.*` py-rattler drops the star unless it stands alone; projrun never does
    requirement = Requirement(f"x{said}")
    try:
        conda = rattler.MatchSpec(text, strict=False).version
    except rattler.exceptions.InvalidMatchSpecError:
        return  # conda would install nothing
    admitted = rattler.VersionSpec(conda) if conda else None
    for version in CANDIDATES:
        by_conda = admitted is None or admitted.matches(rattler.Version(version))
        assert requirement.specifier.contains(version) == by_conda, (text, said, conda, version)


@given(st.text(alphabet="019.=<>!~,|*+abrc-_ ", max_size=30))
def test_whatever_is_said_is_valid(version: str) -> None:
    said = specifiers(version)
    if said is not None:
        SpecifierSet(said)
