"""Passwords and tokens as they are kept: a salted scrypt hash, and a digest of what is random anyway."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

from projrun.errors import InvalidValueError

SHORTEST = 12
"""Characters: MLflow's rule for a password."""
TOKEN_PREFIX = "projrun_"  # noqa: S105 -- the beginning of every token, by which it is recognised
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1  # 16 MiB and some 50 ms, as RFC 7914 proposes for signing in
_MEMORY = 64 * 1024 * 1024
ABSENT = "scrypt$" + "$".join(
    ["16384", "8", "1", b64encode(bytes(16)).decode(), b64encode(bytes(32)).decode()]
)
"""The hash of no password: looking for a user who is not there takes as long as for one who is."""


def check_password(password: str) -> None:
    """Raises InvalidValueError for one that is too short."""
    if len(password) < SHORTEST:
        raise InvalidValueError(f"Password must be at least {SHORTEST} characters.")


def hashed(password: str) -> str:
    """`scrypt$N$r$p$SALT$HASH`."""
    salt = secrets.token_bytes(16)
    key = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL)
    return f"scrypt${_COST}${_BLOCK}${_PARALLEL}${b64encode(salt).decode()}${b64encode(key).decode()}"


def matches(password: str, secret: str) -> bool:
    """Whether it is the password; never for a user without one."""
    parts = secret.split("$")
    if len(parts) != 6 or parts[0] != "scrypt":
        parts = ABSENT.split("$")
    cost, block, parallel = map(int, parts[1:4])
    key = _scrypt(password, b64decode(parts[4]), cost, block, parallel)
    return hmac.compare_digest(key, b64decode(parts[5])) and secret.startswith("scrypt$")


def new_token() -> str:
    """A token with 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token, which cannot be found again from that."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    text = password.encode(errors="surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY, dklen=32)
