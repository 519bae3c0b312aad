"""Removing credentials from URLs of any origin: the rules for what is shown, kept or recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

MASK = "***"
"""Replaces a secret."""


class HiddenMapping(dict[str, str]):
    """A mapping whose values are secret: whatever holds it can be shown."""

    def __repr__(self) -> str:
        """The keys alone."""
        return repr(dict.fromkeys(self, MASK))


# Strings, compiled when first used: most projects name no URL, and compiling costs the hot path a millisecond.
_WEB_USER = r"(?i)\b((?:[a-z+]+\+)?https?://)[^/\s@]+@"
_USER_AND_WORD = r"(?i)\b([a-z][a-z0-9+.-]*://[^/\s:@]*):[^/\s@]+@"
_QUERY = r"(?i)([?&](?:[\w.-]*(?:token|key|passw(?:or)?d|secret|signature|credential)|sig)=)[^&\s]+"
_USER_INFORMATION = r"://([^/\s:@]*):?([^/\s@]*)@"
_QUERY_VALUE = _QUERY.replace("([?", "(?:[?").replace("[^&\\s]+", "([^&#\\s'\"]+)")
_SHORTEST_PASSWORD = 4
_SHORTEST_TOKEN = 16
"""Of a user without a password: shorter ones are names."""

_AUTHORITY = r"(?:.*@)?(?:\[[0-9A-Fa-f:.]+\]|[\w.~-]+)(?::\d+)?"
_ENDPOINT_PREFIX = r"^(https?://127\.0\.0\.1:\d+/)[0-9a-f]{32}(?![0-9a-f])"  # of `projrun.server.endpoint`
_PUBLIC_USERS = ("ssh", "abfs", "abfss")
"""Where the part before the @ belongs to the location and is not secret: `git@host`, `container@account`."""


def without_credentials(text: str) -> str:
    """The text with no user, password or token in any URL of it (`ssh://git@host` keeps its user).

    Only those query values are removed whose names mean access, as in URLs that object
    stores sign (`X-Amz-Signature`, `sig`): the rest of a query names the resource.
    """
    if "://" not in text:
        return text
    text = re.sub(_WEB_USER, r"\1", text)
    return re.sub(_QUERY, rf"\1{MASK}", re.sub(_USER_AND_WORD, r"\1@", text))


def secrets_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The passwords and tokens in the URLs of some texts, as written and decoded, for whoever masks an output.

    Short ones are left out, since their letters stand in other words too; so are users that a password follows.
    """
    found: dict[str, None] = {}
    for text in texts:
        if "://" not in text or not ("@" in text or "?" in text):  # compiling the patterns costs 2 ms
            continue
        user_information = re.findall(_USER_INFORMATION, text)
        passwords = [password for _, password in user_information if len(password) >= _SHORTEST_PASSWORD]
        tokens = [
            user for user, password in user_information if not password and len(user) >= _SHORTEST_TOKEN
        ]
        values = [value for value in re.findall(_QUERY_VALUE, text) if len(value) >= _SHORTEST_PASSWORD]
        found.update(dict.fromkeys([*passwords, *tokens, *values]))
    return tuple(dict.fromkeys([*found, *map(unquote, found)]))


def without_queries(text: str) -> str:
    """What another program said of addresses, without their queries: a signed URL is a secret as a whole."""
    return re.sub(r"\?\S+", f"?{MASK}", text)


def is_scheme(word: str) -> bool:
    """Whether a URI may begin with it, by RFC 3986. Without a pattern, which every run would compile."""
    rest = word.replace("+", "").replace(".", "").replace("-", "")
    return word.isascii() and word[:1].isalpha() and rest.isalnum()


def redact_uri(uri: str) -> str:
    """One URI as people may see it: no user and password, no query values, no secret of our loopback endpoint.

    The user of an ssh address stays. Works on invalid URIs too, since it is used in the messages
    about them.
    """
    scheme, slashes, rest = uri.partition("://")
    if not slashes or not is_scheme(scheme):
        return _without_slashes(uri)
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    if authority and re.fullmatch(_AUTHORITY, authority) is None:
        # A password with a slash in it, say, ends the host's part early: everything before the last @ is removed.
        rest = rest.rpartition("@")[2] if "@" in rest else MASK
    rest, sign, fragment = rest.partition("#")
    rest, mark, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    kept = user.partition(":")[0] + at if scheme.lower().rpartition("+")[2] in _PUBLIC_USERS else ""
    shown = f"{scheme}://{kept}{host}{slash}{path}"
    if host.startswith("127."):
        shown = re.sub(_ENDPOINT_PREFIX, rf"\1{MASK}", shown)
    return shown + mark + (_without_values(query) if mark else "") + sign + fragment


def _without_slashes(text: str) -> str:
    """`user:password@host`, `//user:password@host` and the like: not an address that any tool understands."""
    if text.startswith("//"):
        return re.sub(r"^//[^/]*@", "//", text)
    return re.sub(r"^(?:(https?:)|([^@/:]+):)[^/]*@", lambda match: match[1] or match[2] + "@", text)


def _without_values(query: str) -> str:
    items = [item.partition("=") for item in query.split("&")]
    return "&".join(f"{name}={MASK}" if equals else MASK for name, equals, _ in items)
