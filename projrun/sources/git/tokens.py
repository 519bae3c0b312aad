"""Tokens of the environment, as CI systems and the tools of hosting services set them, and which host each is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_LOOPBACK = re.compile(r"(127(\.\d+){3}|localhost|\[::1\])(:\d+)?", re.IGNORECASE)
_OWN = "PROJRUN_GIT_TOKEN_"


class Token(NamedTuple):
    """A token for one host."""

    variable: str
    """The variable that holds it."""
    user: str
    """The user that the service wants with it, where the URL names none."""
    value: str


def token_variable(host: str) -> str:
    """The variable of projrun's own for a host: `PROJRUN_GIT_TOKEN_EXAMPLE_ORG_8443` for `example.org:8443`.

    A hyphen becomes two underscores: a token for `my-host.com` must not go to `my.host.com`.
    """
    return _OWN + re.sub(r"[^A-Z0-9]", "_", host.upper().replace("-", "__"))


def may_carry_tokens(scheme: str, host: str) -> bool:
    """Whether a token may be sent there: not over plain http, but to this machine."""
    return scheme == "https" or _LOOPBACK.fullmatch(host) is not None


def find_token(scheme: str, host: str, environ: Mapping[str, str]) -> Token | None:
    """The token for a host with its port, if any, where tokens may be sent; a hosting service's goes over https alone.

    A variable of a hosting service is for that service's host alone: a CI system that runs elsewhere names its own
    (GITHUB_SERVER_URL, CI_SERVER_HOST), and its token is not shown to the public service then.
    """
    if (
        not host.isascii()
    ):  # some letters' capitals are ASCII letters: the name of another host would come out
        return None
    own = token_variable(host)
    if environ.get(own, "").strip() and may_carry_tokens(scheme, host):
        return Token(own, "oauth2", environ[own].strip())
    if scheme != "https":
        return None
    for variable, user, place in _services(environ):
        if environ.get(variable, "").strip() and place and _same(host, place):
            return Token(variable, user, environ[variable].strip())
    return None


def _services(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Variable, user and host of each that is known, the more specific ones first."""
    github = environ.get("GITHUB_SERVER_URL", "").partition("://")[2].strip("/") or "github.com"
    gitlab = environ.get("CI_SERVER_HOST") or "gitlab.com"
    port = environ.get("CI_SERVER_PORT", "") if environ.get("CI_SERVER_HOST") else ""
    gitlab += f":{port}" if port else ""
    yield "GH_TOKEN", "x-access-token", "github.com"
    yield "GITHUB_TOKEN", "x-access-token", github
    yield "GH_ENTERPRISE_TOKEN", "x-access-token", environ.get("GH_HOST", "")
    yield "GITLAB_TOKEN", "oauth2", gitlab
    yield "CI_JOB_TOKEN", "gitlab-ci-token", gitlab
    yield "BITBUCKET_TOKEN", "x-token-auth", "bitbucket.org"


def _same(host: str, place: str) -> bool:
    return host.lower().removesuffix(":443") == place.lower().removesuffix(":443")
