"""Keeping credentials of package indexes out of keys, logs and messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from projrun.credentials import MASK, without_credentials

_USER_INFORMATION = r"://([^/\s@]+)@"
_CREDENTIAL_VARIABLE = r"PASSW(?:OR)?D|TOKEN|SECRET|CREDENTIAL|API_KEY"
_SHORTEST_SECRET = 4
_GIT_USER = "git"


def secrets_of(texts: Iterable[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The passwords that a tool may print: those in URLs of `texts`, and those of uv's and pip's variables."""
    found = set()
    for text in texts:
        for user_information in re.findall(_USER_INFORMATION, text):
            user, _, password = user_information.partition(":")
            found.add(password or user)
    found |= {unquote(secret) for secret in found}
    found.discard(_GIT_USER)
    found |= {
        value
        for name, value in environ.items()
        if name.startswith(("UV_", "PIP_")) and re.search(_CREDENTIAL_VARIABLE, name)
    }
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST_SECRET)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without credentials in URLs and without these secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return without_credentials(text)
