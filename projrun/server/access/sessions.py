"""Sessions of browsers: a cookie that no script reads, which stands for a token of its user that ends.

A cookie comes with every request that a browser makes to this server, so it counts only for those of its own page:
SameSite keeps other sites' away, the Origin those of other ports, and a request that changes something says JSON or
has a header that no form can send.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.types import Scope

from projrun.server.access import passwords
from projrun.server.api import Identity
from projrun.server.errors import ForbiddenError
from projrun.tracking.users import SESSION, Users
from projrun.tuples import NamedTuple

LASTS = 7 * 24 * 3600
"""Seconds."""
OWN_HEADER = b"x-projrun"
"""Sent by the page with every request."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Session(NamedTuple):
    """One session, by what is in its cookie."""

    number: str
    secret: str

    @property
    def name(self) -> str:
        """Of its token."""
        return SESSION + self.number

    @property
    def digest(self) -> str:
        """Of its token: no token that a program has is a session, and no session such a token."""
        return passwords.digest(f"session:{self.number}.{self.secret}")

    @property
    def text(self) -> str:
        """In the cookie."""
        return f"{self.number}.{self.secret}"


def is_session(token: str) -> bool:
    """Whether a token's name is that of a session."""
    return token.startswith(SESSION)


def begin(users: Users, user: str) -> Session:
    """A new session of a user; those that have ended are removed."""
    now = int(time.time() * 1000)
    for token in users.list_tokens(user):
        if is_session(token.name) and token.expiry_time is not None and token.expiry_time <= now:
            users.delete_token(user, token.name)
    session = Session(secrets.token_hex(6), secrets.token_urlsafe(32))
    users.create_token(user, session.name, session.digest, now + LASTS * 1000)
    return session


def session_of(headers: Mapping[bytes, bytes]) -> Session | None:
    """The session that a request's cookie names."""
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None
    found = cookies.get(cookie_name(headers))
    number, _, secret = found.value.partition(".") if found else ("", "", "")
    return Session(number, secret) if number and secret else None


def identity_of(scope: Scope, headers: Mapping[bytes, bytes]) -> Identity | None:
    """Who a request's session says to call. Raises ForbiddenError for a request that is not the page's own."""
    session = session_of(headers)
    if session is None:
        return None
    if not is_own_page(scope, headers):
        raise ForbiddenError(
            "a request with a session must come from this server's own page, and say JSON or X-Projrun"
        )
    return Identity(token=session.digest, session=session.name)


def is_own_page(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether no other site's page can have caused a request."""
    origin = headers.get(b"origin", b"").lower()
    if origin and origin.partition(b"://")[2] != headers.get(b"host", b"").lower():
        return False
    if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
        return False
    is_json = headers.get(b"content-type", b"").partition(b";")[0].strip() == b"application/json"
    return scope["method"] in _SAFE or is_json or OWN_HEADER in headers


def cookie_name(headers: Mapping[bytes, bytes]) -> str:
    """With the port: browsers send a cookie to all ports of a host."""
    port = headers.get(b"host", b"").decode("latin-1").rpartition("]")[2].partition(":")[2]
    return f"projrun_session_{port}" if port.isascii() and port.isdecimal() else "projrun_session"


def cookie(scope: Scope, headers: Mapping[bytes, bytes], path: str, session: Session | None) -> str:
    """The header `Set-Cookie` that begins a session, or ends it."""
    value, age = (session.text, LASTS) if session else ("", 0)
    # Behind a proxy that speaks TLS, only the browser knows it: its Origin says so.
    secure = scope["scheme"] == "https" or headers.get(b"origin", b"").lower().startswith(b"https://")
    parts = [
        f"{cookie_name(headers)}={value}",
        f"Path={path}",
        f"Max-Age={age}",
        "HttpOnly",
        "SameSite=Strict",
    ]
    return "; ".join([*parts, *(["Secure"] if secure else [])])
