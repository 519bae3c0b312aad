"""The address of a repository or an archive, read strictly: the host that is contacted is the host that is seen here.

Each tool parses strange addresses differently; anything ambiguous is refused.
Imported only when something is to be fetched.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from projrun.credentials import redact_uri
from projrun.errors import SourceError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.~-]+)"
_AUTHORITY = re.compile(rf"(?:(?P<user>[^@\\]*)@)?{_HOST}(?::(?P<port>[0-9]{{1,5}}))?")
_SECURE_COPY = re.compile(rf"(?:(?P<user>[^@:/\\\[\]]+)@)?{_HOST}:(?P<path>.*)")
_READ_BY_GIT = ("ssh", "git")
"""Such an address git reads itself, by rules of its own: it first takes percent signs out of all of it (git 2.39)."""


class Address(NamedTuple):
    """Where something is fetched from."""

    protocol: str
    """Lower-case; `ssh` for `git@host:path`, `file` for this machine."""
    host: str = ""
    """Lower-case, without the dot that may end it, an IPv6 address in brackets; empty for this machine."""
    port: str = ""
    """Empty where the address names none."""
    path: str = ""


def read_address(location: str) -> Address:
    """The parts of a URL, of `[USER@]HOST:PATH`, or of a path, by git's rules (`git help fetch`, "GIT URLS").

    Whether the protocol is one that projrun knows is not asked. Raises SourceError for what is refused.
    """
    _refuse_helpers(location)
    match = _SCHEME.match(location)
    if match is not None:
        return _url(location, match[1].lower(), location[match.end() :])
    colon, slash = location.find(":"), location.find("/")
    if colon >= 0 and not 0 <= slash < colon:
        return _secure_copy(location)
    return Address("file", path=location)


def _refuse_helpers(location: str) -> None:
    if _CONTROL.search(location):
        raise SourceError(f"{redact_uri(location)!r} contains control characters")
    if location.startswith("-"):
        raise SourceError(f"{redact_uri(location)!r} starts with '-'", hint="git would read it as an option")
    helper = _HELPER.match(location)
    if helper is not None:
        raise SourceError(
            f"{helper.group()!r} is refused: it runs its own command to fetch",
            hint="give an https:// or ssh:// address",
        )


def _url(location: str, protocol: str, rest: str) -> Address:
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    path = rest[len(authority) :]
    if protocol == "file":
        if authority.lower() not in ("", "localhost"):
            raise SourceError(
                f"{redact_uri(location)!r} is not a path on this machine",
                hint="write file:///absolute/path",
            )
        return Address(protocol, path=path)
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or _is_ambiguous(protocol, parts, path):
        raise SourceError(
            f"{redact_uri(location)!r} has no host",
            hint="write it as https://HOST/OWNER/REPOSITORY; in a password @ is %40, / is %2F, ? is %3F, # is %23",
        )
    return Address(protocol, _host(parts), (parts["port"] or "").lstrip("0"), path)


def _is_ambiguous(protocol: str, parts: re.Match[str], path: str) -> bool:
    user = parts["user"] or ""
    if user.startswith("-") or parts["host"].startswith("-"):
        return True  # ssh would read it as an option
    if protocol not in _READ_BY_GIT:
        return False
    # To git, only a slash ends the host's part.
    return not path.startswith("/") or not set("%[]").isdisjoint(user) or _has_second_host(path)


def _has_second_host(path: str) -> bool:
    """After an @[ anywhere in such an address, git reads a host."""
    return "@[" in unquote(path)


def _secure_copy(location: str) -> Address:
    parts = _SECURE_COPY.fullmatch(location)
    if parts is None or _has_second_host(parts["path"]):
        raise SourceError(
            f"{redact_uri(location)!r} has no host", hint="write it as git@HOST:OWNER/REPOSITORY or ssh://"
        )
    if any((parts[part] or "").startswith("-") for part in ("user", "host", "path")):
        raise SourceError(
            f"{redact_uri(location)!r} has a part that starts with '-'", hint="ssh would read it as an option"
        )
    return Address("ssh", _host(parts), path=parts["path"])


def _host(parts: re.Match[str]) -> str:
    host = parts["host"].removesuffix(".")
    # There are letters whose lower case is another letter, an ASCII one.
    return host.lower() if host.isascii() else host
