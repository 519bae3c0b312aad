"""Credentials in URLs stay out of what is shown and kept."""

from __future__ import annotations

import pytest

from projrun.credentials import without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:word@host/simple", "https://host/simple"),
        ("https://token@host/simple", "https://host/simple"),
        ("x @ git+https://token@host/r.git and http://a:b@c", "x @ git+https://host/r.git and http://c"),
        ("git+ssh://git@host/r.git", "git+ssh://git@host/r.git"),
        ("git+ssh://git:word@host/r.git", "git+ssh://git@host/r.git"),
        ("https://host/simple?private_token=abc&x=1", "https://host/simple?private_token=***&x=1"),
        (
            "https://b.test/k?X-Amz-Signature=ab&versionId=3",
            "https://b.test/k?X-Amz-Signature=***&versionId=3",
        ),
        ("https://b.test/k?keyword=ab&sv=1&sig=x%3D", "https://b.test/k?keyword=ab&sv=1&sig=***"),
        ("numpy==1.0", "numpy==1.0"),
        ("https://host/@scope/name", "https://host/@scope/name"),
        ("a@b.c", "a@b.c"),
    ],
)
def test_urls_lose_their_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
