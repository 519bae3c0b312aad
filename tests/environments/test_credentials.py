"""Credentials stay out of what is shown and kept."""

from __future__ import annotations

import pytest

from projrun.environments.credentials import masked, secrets_of, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:word@host/simple", "https://host/simple"),
        ("https://token@host/simple", "https://host/simple"),
        ("x @ git+https://token@host/r.git and http://a:b@c", "x @ git+https://host/r.git and http://c"),
        ("git+ssh://git@host/r.git", "git+ssh://git@host/r.git"),
        ("git+ssh://git:word@host/r.git", "git+ssh://git@host/r.git"),
        ("https://host/simple?private_token=abc&x=1", "https://host/simple?private_token=***&x=1"),
        ("numpy==1.0", "numpy==1.0"),
        ("https://host/@scope/name", "https://host/@scope/name"),
        ("a@b.c", "a@b.c"),
    ],
)
def test_urls_lose_their_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_secrets_are_found_and_masked_wherever_they_stand() -> None:
    environ = {"UV_INDEX_MINE_PASSWORD": "hidden1", "PIP_INDEX_URL": "x", "OTHER_PASSWORD": "not ours"}
    urls = ["https://me:pass%20word@host", "https://token1@host", "ssh://git@host", "https://a:b@h"]
    secrets = secrets_of(urls, environ)
    assert secrets == {"pass%20word", "pass word", "token1", "hidden1"}
    assert masked("say pass word, token1 or hidden1 to me", secrets) == "say ***, *** or *** to me"
