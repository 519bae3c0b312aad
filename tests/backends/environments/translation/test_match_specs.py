"""conda's match specifications as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun_backends.environments.translation.match_specs import parse_match_spec


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("numpy", ("numpy", "", "")),
        ("NumPy=1.24", ("numpy", "=1.24", "")),
        ("numpy = 1.24", ("numpy", "=1.24", "")),
        ("numpy 1.24", ("numpy", "1.24", "")),
        ("numpy=1.24.3=py310h5f9d8c6_1", ("numpy", "==1.24.3", "py310h5f9d8c6_1")),
        ("numpy 1.24.3 py310_0", ("numpy", "==1.24.3", "py310_0")),
        ("numpy==1.24.3=0", ("numpy", "==1.24.3", "0")),
        ("numpy=1.24.*=0", ("numpy", "=1.24.*", "0")),
        ("pytorch=*=*cuda*", ("pytorch", "=*", "*cuda*")),
        ("numpy >= 1.2 , < 2", ("numpy", ">=1.2,<2", "")),
        ("numpy >=1.2,<2 py27*", ("numpy", ">=1.2,<2", "py27*")),
        ("numpy=1.2|=1.3", ("numpy", "=1.2|=1.3", "")),
        ("conda-forge::numpy=1.2", ("numpy", "=1.2", "")),
        ("conda-forge/linux-64::numpy", ("numpy", "", "")),
        ("https://host/channel::numpy", ("numpy", "", "")),
        ("numpy[version='>=1.2,<2', build=0]", ("numpy", ">=1.2,<2", "")),
        ("numpy=1.2[channel=defaults]", ("numpy", "=1.2", "")),
        ("_libgcc_mutex=0.1=main", ("_libgcc_mutex", "==0.1", "main")),
        ("https://host/noarch/x-1-0.conda", ("https://host/noarch/x-1-0.conda", "", "")),
    ],
)
def test_the_parts(text: str, parts: tuple[str, str, str]) -> None:
    spec = parse_match_spec(text)
    assert spec is not None
    assert tuple(spec) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "???",
        "-r file",
        "~x",
        "numpy 1.2 0 more",
        "numpy[md5=abc]",
        "numpy[license=GPL]",
    ],
)
def test_what_is_not_understood(text: str) -> None:
    assert parse_match_spec(text) is None


@given(st.text(alphabet="ab1.=<>!~,|* []'\":/-_", max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    spec = parse_match_spec(text)
    assert spec is None or spec.name == spec.name.lower() or "://" in spec.name
