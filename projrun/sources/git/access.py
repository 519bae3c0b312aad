"""How a repository is reached: with which credentials, and without ever prompting.

git asks the user's credential helpers, then ours (a token of the environment), then GIT_ASKPASS. Credentials of the
URL take precedence over all of these. A password travels in the environment of git alone, bound to its host.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from projrun.credentials import MASK, redact_uri
from projrun.errors import SourceError
from projrun.sources.git.command import git_environ
from projrun.sources.git.tokens import Token, find_token

HELPER = (
    '!f() { test "$1" != get || printf "username=%s\\npassword=%s\\n" '
    '"$PROJRUN_GIT_USERNAME" "$PROJRUN_GIT_PASSWORD"; }; f'
)
"""The credential helper of projrun's own."""

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?:(?P<user>[^/?#@:]*)(?P<colon>:?)(?P<password>[^/?#]*)@)?(?P<host>[^/?#@]+)"
)
_IN_MESSAGES = re.compile(r"(https?://)[^/\s'\"]*@", re.IGNORECASE)
_QUERY_IN_MESSAGES = re.compile(r"(https?://[^\s'\"?]*\?)[^\s'\"]+", re.IGNORECASE)
_NO_WINDOWS = {"SSH_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
"""Neither ssh, nor git on its behalf, nor Git Credential Manager opens a window to ask."""
_SSH = "ssh -oBatchMode=yes"


class Access(NamedTuple):
    """How a repository is reached."""

    url: str
    """Without credentials: it ends in argv and in the checkout's configuration."""
    settings: tuple[tuple[str, str], ...] = ()
    """git settings for `git_environ`: bound to the URL's host, so a redirect elsewhere gets nothing."""
    environ: Mapping[str, str] = {}
    """Variables that the settings need; they hold the password."""
    secrets: tuple[str, ...] = ()
    credentials: str = ""
    """Where the credentials that it holds came from, for people; empty where it holds none."""

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """What git's environment gets beyond the caller's `environ`."""
        own = {"GIT_SSH_COMMAND": _SSH} if is_ssh(self.url) and not _has_ssh_command(environ) else {}
        return {**_NO_WINDOWS, **self.environ, **own}

    def mask(self, text: str) -> str:
        """A message without the credentials, and without queries, which may hold a token."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return _QUERY_IN_MESSAGES.sub(rf"\1{MASK}", _IN_MESSAGES.sub(r"\1", text))


def access_to(location: str, environ: Mapping[str, str]) -> Access:
    """How to reach a repository's address; SourceError for credentials that cannot be given to git."""
    scheme, mark, rest = location.partition("://")
    location = f"{scheme.lower()}{mark}{rest}"
    match = _ADDRESS.match(location)
    if match is not None:
        return _web_access(location, match, environ)
    return Access(redact_uri(location) if location.startswith(("ssh:", "git:")) else location)


def is_ssh(location: str) -> bool:
    """Whether git reaches an address over ssh: `ssh://host/path`, `host:path` with or without a user."""
    return location.startswith("ssh://") or (location != "" and "://" not in location)


def _web_access(location: str, match: re.Match[str], environ: Mapping[str, str]) -> Access:
    host = f"{match['scheme']}://{match['host']}"
    url = host + location[match.end() :]
    user, password = unquote(match["user"] or ""), unquote(match["password"] or "")
    _refuse_control_characters(user + password, f"the credentials for {redact_uri(location)}")
    if match["colon"]:
        given = Access(url, ((f"credential.{host}.helper", ""),))  # the empty one forgets the user's helpers
        secrets = tuple(secret for secret in (match["password"], password) if secret)
        return _with_helper(given, host, user, password)._replace(
            secrets=secrets, credentials="the user and password in the URL"
        )
    named = Access(url, ((f"credential.{host}.username", user),) if user else ())
    token = find_token(match["scheme"], match["host"], environ)
    return named if token is None else _with_token(named, host, user, token)


def _with_token(access: Access, host: str, user: str, token: Token) -> Access:
    _refuse_control_characters(token.value, f"the token in ${token.variable}")
    return _with_helper(access, host, user or token.user, token.value)._replace(
        secrets=(token.value,), credentials=f"the token in ${token.variable}"
    )


def _with_helper(access: Access, host: str, user: str, password: str) -> Access:
    return access._replace(
        settings=(*access.settings, (f"credential.{host}.helper", HELPER)),
        environ={"PROJRUN_GIT_USERNAME": user, "PROJRUN_GIT_PASSWORD": password},
    )


def _refuse_control_characters(text: str, what: str) -> None:
    # A line break would add a line to the helper's answer, such as another host.
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise SourceError(f"{what} contain control characters")


def _has_ssh_command(environ: Mapping[str, str]) -> bool:
    """Whether the user chose how ssh is called, in a variable or in git's configuration; that is left alone."""
    if environ.get("GIT_SSH_COMMAND") or environ.get("GIT_SSH"):
        return True
    binary = shutil.which("git", path=environ.get("PATH"))
    if binary is None:
        return False
    # In no repository: the caller's current one must have no effect.
    outside = {**git_environ(environ, protocols="none"), "GIT_DIR": os.devnull}
    asked = [binary, "config", "--get", "core.sshCommand"]
    done = subprocess.run(
        asked, env=outside, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return done.returncode == 0
