"""Why a server cannot be reached or broke off, in words that are safe to show.

No text of an exception is shown: urllib3 puts whole URLs into them, secrets included.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException, RemoteDisconnected

import requests
import urllib3

_LARGEST_MESSAGE = 400

FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, UnicodeError, OSError)
"""What requests raises when a server cannot be reached or stops answering."""


def one_line(text: str) -> str:
    """A server's text as part of one line: no control characters, not endless."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _LARGEST_MESSAGE else f"{line[:_LARGEST_MESSAGE]}..."


def reason_of(error: Exception, timeout: tuple[float, float]) -> str:
    """Why there is no answer, without any URL."""
    causes = tuple(causes_of(error))
    if isinstance(error, requests.exceptions.ProxyError):
        return "its proxy (HTTP_PROXY, HTTPS_PROXY) does not let it through"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {timeout[0]:g} s"
    if isinstance(
        error, (requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError, UnicodeError)
    ):
        return "its host name is malformed"
    if isinstance(error, requests.TooManyRedirects):
        return "it redirects endlessly"
    if any(isinstance(cause, (requests.Timeout, urllib3.exceptions.ReadTimeoutError)) for cause in causes):
        return f"no answer within {timeout[1]:g} s"
    return next((words for words in map(_words, causes) if words), "the connection broke off")


def _words(cause: BaseException) -> str:
    if isinstance(cause, socket.gaierror):
        return "its host name cannot be resolved"
    if isinstance(cause, RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(cause, ssl.SSLError):
        return str(getattr(cause, "verify_message", "") or cause.reason or "").replace("_", " ").lower()
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return ""


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """An exception and its causes: chained, or wrapped as an argument (requests, urllib3)."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        wrapped = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        pending.extend(item for item in wrapped if isinstance(item, BaseException))
