"""The credentials that belong to one host: those of its URL or of netrc. The environment is a value."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote

from projrun.directories import home_folder


class Credentials(NamedTuple):
    """The value of the Authorization header, and its origin, for people."""

    header: str
    origin: str


def host_credentials(address: SplitResult, environ: Mapping[str, str]) -> Credentials | None:
    """The credentials that belong to one host and no other: its netrc entry, or those in its URL."""
    found = _from_netrc(address.hostname or "", environ)
    if found is None and address.username:
        found = basic(unquote(address.username), unquote(address.password or ""), "the URL")
    return found


def _from_netrc(host: str, environ: Mapping[str, str]) -> Credentials | None:
    import netrc

    named = environ.get("NETRC")
    home = home_folder(environ)
    candidates = [Path(named)] if named else [home / ".netrc", home / "_netrc"]
    file = next(filter(Path.is_file, candidates), None)
    if file is None:
        return None
    try:
        entry = netrc.netrc(str(file)).authenticators(host)
    except (OSError, UnicodeDecodeError, netrc.NetrcParseError):
        return None  # as requests does: a netrc is not ours to judge
    if entry is None:
        return None
    login, account, password = entry
    return basic(login or account or "", password or "", str(file))


def basic(username: str, password: str, origin: str) -> Credentials:
    """A user name and a password (RFC 7617)."""
    pair = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
    return Credentials(f"Basic {pair}", origin)
