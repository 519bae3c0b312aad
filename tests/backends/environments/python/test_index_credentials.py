"""Credentials stay out of what is shown and kept."""

from __future__ import annotations

from projrun_backends.environments.python.index_credentials import masked, secrets_of


def test_secrets_are_found_and_masked_wherever_they_stand() -> None:
    environ = {"UV_INDEX_MINE_PASSWORD": "hidden1", "PIP_INDEX_URL": "x", "OTHER_PASSWORD": "not ours"}
    urls = ["https://me:pass%20word@host", "https://token1@host", "ssh://git@host", "https://a:b@h"]
    secrets = secrets_of(urls, environ)
    assert secrets == {"pass%20word", "pass word", "token1", "hidden1"}
    assert masked("say pass word, token1 or hidden1 to me", secrets) == "say ***, *** or *** to me"
