"""Credentials of a repository's URL: taken out of it, and given to git without showing in a process list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from projrun.errors import SourceError
from projrun.sources.uri import redact_uri

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/?#@:]*)(?P<colon>:?)(?P<password>[^/?#]*)@(?P<host>[^/?#@]+)"
)
_IN_MESSAGES = re.compile(r"(https?://)[^/\s'\"]*@", re.IGNORECASE)
_QUERY_IN_MESSAGES = re.compile(r"(https?://[^\s'\"?]*\?)[^\s'\"]+", re.IGNORECASE)
_HELPER = (
    '!f() { test "$1" != get || printf "username=%s\\npassword=%s\\n" '
    '"$PROJRUN_GIT_USERNAME" "$PROJRUN_GIT_PASSWORD"; }; f'
)


class Access(NamedTuple):
    """How a repository is reached."""

    url: str
    """Without credentials: it ends in argv and in the checkout's configuration."""
    settings: tuple[tuple[str, str], ...] = ()
    """git settings for `git_environ`: bound to the URL's host, so a redirect elsewhere gets nothing."""
    environ: Mapping[str, str] = {}
    """Variables that the settings need; they hold the password."""
    secrets: tuple[str, ...] = ()

    def mask(self, text: str) -> str:
        """A message without the credentials, and without queries, which may hold a token."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return _QUERY_IN_MESSAGES.sub(r"\1***", _IN_MESSAGES.sub(r"\1", text))


def access_to(location: str) -> Access:
    """Split a repository's address; SourceError for credentials that cannot be given to git."""
    match = _ADDRESS.match(location)
    if match is None:
        return Access(redact_uri(location) if location.startswith(("ssh:", "git:")) else location)
    user, password = unquote(match["user"]), unquote(match["password"])
    if re.search(r"[\x00-\x1f\x7f]", user + password):
        raise SourceError(f"the credentials for {redact_uri(location)} have control characters in them")
    host = f"{match['scheme']}://{match['host']}"
    url = host + location[match.end() :]
    if not match["colon"]:
        return Access(url, ((f"credential.{host}.username", user),))
    helper = f"credential.{host}.helper"
    return Access(
        url,
        ((helper, ""), (helper, _HELPER)),  # the empty one forgets the user's own helpers for this host
        {"PROJRUN_GIT_USERNAME": user, "PROJRUN_GIT_PASSWORD": password},
        tuple(secret for secret in (match["password"], password) if secret),
    )
