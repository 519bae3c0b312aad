"""Keeping credentials of package indexes out of keys, logs and messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_WEB_USER = re.compile(r"(?i)\b((?:[a-z+]+\+)?https?://)[^/\s@]+@")
_PASSWORD = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^/\s:@]*):[^/\s@]+@")
_QUERY = re.compile(r"(?i)([?&](?:[a-z_]*token|[a-z_]*key|password|secret|sig)=)[^&\s]+")
_USER_INFORMATION = re.compile(r"://([^/\s@]+)@")
_SECRET_NAME = re.compile(r"(?:PASSWORD|PASSWD|TOKEN|SECRET|CREDENTIAL|API_KEY)")
_SHORTEST_SECRET = 4
_MASK = "***"
_GIT_USER = "git"


def without_credentials(text: str) -> str:
    """The text with no user, password or token in any URL of it (`ssh://git@host` keeps its user)."""
    text = _WEB_USER.sub(r"\1", text)
    return _QUERY.sub(rf"\1{_MASK}", _PASSWORD.sub(r"\1@", text))


def secrets_of(texts: Iterable[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The passwords that a tool may print: those in URLs of `texts`, and those of uv's and pip's variables."""
    found = set()
    for text in texts:
        for user_information in _USER_INFORMATION.findall(text):
            user, _, password = user_information.partition(":")
            found.add(password or user)
    found.discard(_GIT_USER)
    found |= {
        value
        for name, value in environ.items()
        if name.startswith(("UV_", "PIP_")) and _SECRET_NAME.search(name)
    }
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST_SECRET)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without credentials in URLs and without these secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return without_credentials(text)
