"""Files that look like secrets: they never become part of a run's record."""

from __future__ import annotations

import re

_NAMES = re.compile(
    r"\.env(?!\.(example|sample|template|dist)$)(\..*)?|\.envrc|.*\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|ovpn)"
    r"|id_(rsa|dsa|ecdsa|ed25519)(_.*)?|[._]netrc|\.pypirc|\.npmrc|\.pgpass|\.git-credentials|\.htpasswd"
    r"|credentials(\.\w+)?|client_secret.*\.json|service[-_]account.*\.json|secrets?\.\w+|.*\.tfvars",
    re.IGNORECASE,
)
_FOLDERS = re.compile(r"\.(aws|azure|ssh|gnupg|kube|docker)", re.IGNORECASE)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")


def is_sensitive_name(path: str) -> bool:
    """Whether a file of that name usually holds passwords, tokens or keys; `path` has slashes."""
    *folders, name = path.split("/")
    return _NAMES.fullmatch(name) is not None or any(map(_FOLDERS.fullmatch, folders))


def holds_private_key(content: bytes) -> bool:
    """Whether it contains a private key (PEM, RFC 7468; OpenSSH's too)."""
    return _PRIVATE_KEY.search(content) is not None
