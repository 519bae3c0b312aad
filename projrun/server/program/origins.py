"""Who may ask: Host and Origin are checked as MLflow 3 does, so that no web page on the internet reads or writes here.

A page that a browser shows can send requests to any address, and by DNS rebinding read the answers under its own name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from ipaddress import ip_address

INVALID_HOST = "Invalid Host header - possible DNS rebinding attack detected"
BLOCKED_ORIGIN = "Cross-origin request blocked"
LOCAL_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
_CHANGING = frozenset({"POST", "PUT", "DELETE", "PATCH"})


class Origins:
    """The rule for one server."""

    def __init__(self, allowed_hosts: Sequence[str] = (), allowed_origins: Sequence[str] = ()) -> None:
        """Patterns with `*`, as MLflow takes them; `*` alone admits all. Without hosts: `localhost` and addresses."""
        self.any_origin = "*" in allowed_origins
        self.origins = "|".join([LOCAL_ORIGINS, *map(translate, allowed_origins)])
        """Of pages that may read and write, as a regular expression."""
        self._hosts = re.compile("|".join(map(translate, map(str.lower, allowed_hosts))))
        self._by_default = not allowed_hosts
        self._origin = re.compile(self.origins)
        self.admits_host = lru_cache(1024)(self._admits_host)

    def _admits_host(self, host: bytes) -> bool:
        """Whether a Host header is one of the server's: with its port, or for a pattern without a port any."""
        text = host.decode("latin-1").lower()
        name = re.sub(r":[0-9]+$", "", text)
        if self._by_default:
            # No attacker owns an address: only names can be rebound.
            return name == "localhost" or _is_address(name.strip("[]"))
        return bool(self._hosts.fullmatch(text) or self._hosts.fullmatch(name))

    def admits_origin(self, method: str, origin: bytes, host: bytes) -> bool:
        """Whether a page from `origin` may send this: its own server's always, others as far as they change nothing."""
        if method not in _CHANGING or self.any_origin:
            return True
        text = origin.decode("latin-1").lower()
        own = text.partition("://")[2] == host.decode("latin-1").lower()
        return own or bool(self._origin.fullmatch(text))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
