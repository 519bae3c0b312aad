from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.errors import RequestError
from projrun.sources.version import check_version, is_commit, is_full_commit, is_reference_name


@pytest.mark.parametrize("text", ["main", "v1.2", "feature/x-y", "a1b2c3d", "user@host", "größe", "1.0+cu11"])
def test_versions(text: str) -> None:
    assert check_version(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "-x",
            "--upload-pack=x",
            "a..b",
            "a b",
            "a\nb",
            "a\0b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
        ),
        *("@{-1}", "@", "/a", "a/", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "a.", "\x7f"),
    ],
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(RequestError, match="--version"):
        check_version(text)


@given(st.text("ab./-@{~^: *\\", min_size=1, max_size=8))
def test_nothing_that_git_refuses_is_taken(text: str) -> None:
    if is_reference_name(text):
        done = subprocess.run(["git", "check-ref-format", "--branch", text], capture_output=True)
        assert done.returncode == 0


def test_commits() -> None:
    assert is_commit("abcd") and is_commit("A" * 40)
    assert not is_commit("abc") and not is_commit("a" * 65) and not is_commit("wxyz")
    assert is_full_commit("a" * 40) and is_full_commit("0" * 64)
    assert not is_full_commit("a" * 39)
