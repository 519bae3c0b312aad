"""What a server's answer, or its silence, means: an object, or a one-line error.

No text of an exception is shown: urllib3 puts whole URLs into them, secrets included.
"""

from __future__ import annotations

import itertools
import json
import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPException, RemoteDisconnected

import requests
import urllib3

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError, TrackingError
from projrun.http.logins import PASSWORD, TOKEN, USERNAME, Credentials

LARGEST_ANSWER = 128 * 1024 * 1024
"""Bytes of a JSON answer; a page of 1,000 runs with all their params is a tenth of it."""
_LARGEST_MESSAGE = 400
_BY_ERROR_CODE: dict[str, type[TrackingError]] = {
    "RESOURCE_DOES_NOT_EXIST": NotFoundError,
    "NOT_FOUND": NotFoundError,
    "RESOURCE_ALREADY_EXISTS": AlreadyExistsError,
    "ALREADY_EXISTS": AlreadyExistsError,
    "INVALID_PARAMETER_VALUE": InvalidValueError,
    "BAD_REQUEST": InvalidValueError,
}

FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, UnicodeError, OSError)
"""What requests raises when a server cannot be reached or stops answering."""


class UnavailableError(TrackingError):
    """The server cannot be reached or is overloaded now: a retry may help."""

    def __init__(self, message: str, *, hint: str = "", detail: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.retry_after = retry_after


def not_mlflow(server: str, what: str) -> TrackingError:
    """The error for an answer that is not from an MLflow server."""
    return TrackingError(
        f"the tracking server {server} answered something that is not MLflow's REST API: {what}",
        hint="check the address (a path prefix, http or https) and whether there is a login page in front of it",
    )


# --- an answer that came ---


def read_object(response: requests.Response, server: str) -> dict[str, object]:
    """The JSON object of an answer with status 2xx; TrackingError for anything else, or if it is too long."""
    try:
        value = json.loads(b"".join(_pieces(response, server)))
    except (ValueError, RecursionError):
        raise not_mlflow(server, _description(response)) from None
    if not isinstance(value, dict):
        raise not_mlflow(server, "JSON that is not an object")
    return value


def _pieces(response: requests.Response, server: str) -> Iterator[bytes]:
    size = 0
    for piece in response.iter_content(256 * 1024):
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise not_mlflow(server, f"more than {LARGEST_ANSWER >> 20} MB")
        yield piece


def _description(response: requests.Response) -> str:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    what = "an HTML page" if media_type == "text/html" else "invalid JSON"
    return f"{what} (HTTP {response.status_code})"


# --- an answer that says no ---


def refusal(response: requests.Response, server: str, credentials: Credentials | None) -> TrackingError:
    """The error of an answer with a status other than 2xx."""
    status = response.status_code
    code, message = _error_body(response)
    if status in (401, 403):
        return _refused(status, message, server, credentials)
    if 300 <= status < 400:
        return _redirected(response, server)
    if status == 429 or status >= 500:
        return UnavailableError(
            f"the tracking server {server} failed (HTTP {status}){_colon(message)}",
            hint="its log says why",
            retry_after=_retry_after(response),
        )
    if status == 407:
        return TrackingError(
            f"the proxy in front of {server} requires credentials (HTTP 407)", hint="see HTTPS_PROXY"
        )
    if not code:
        return not_mlflow(server, _description(response))
    kind = _BY_ERROR_CODE.get(code, TrackingError)
    return kind(f"the tracking server {server} says {code}{_colon(message)}")


def _refused(status: int, message: str, server: str, credentials: Credentials | None) -> TrackingError:
    sent = f"those of {credentials.origin}" if credentials else "none were given"
    return TrackingError(
        f"the tracking server {server} refused the credentials (HTTP {status}; {sent}){_colon(message)}",
        hint=f"set {USERNAME} and {PASSWORD}, or {TOKEN}",
    )


def _redirected(response: requests.Response, server: str) -> TrackingError:
    from projrun.credentials import redact_uri

    place = one_line(redact_uri(response.headers.get("Location", "")).partition("?")[0])
    return TrackingError(
        f"the tracking server {server} answered something that is not MLflow's REST API: "
        f"a redirect to {place or 'nowhere'} (HTTP {response.status_code})",
        hint="give the address that it leads to; if that is a login page, give credentials "
        f"({USERNAME} and {PASSWORD}, or {TOKEN})",
    )


def _error_body(response: requests.Response) -> tuple[str, str]:
    """MLflow's `error_code` and `message`; where the body is plain text, no code and that text."""
    try:
        body = b"".join(itertools.islice(response.iter_content(16 * 1024), 64))
    except FAILURES:
        return "", ""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        plain = response.headers.get("Content-Type", "").startswith("text/plain")
        return "", one_line(body.decode("utf-8", "replace")) if plain else ""
    if not isinstance(value, dict):
        return "", ""
    code, message = value.get("error_code", ""), value.get("message", "")
    return code if isinstance(code, str) else "", one_line(message) if isinstance(message, str) else ""


def one_line(text: str) -> str:
    """A server's text as part of one line: no control characters, not endless."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _LARGEST_MESSAGE else f"{line[:_LARGEST_MESSAGE]}..."


def _colon(message: str) -> str:
    return f": {message}" if message else ""


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0


# --- no answer ---


def silence(error: Exception, server: str, timeout: tuple[float, float]) -> TrackingError:
    """The error for a server that did not answer; `timeout` is the (connect, read) that was waited for."""
    if isinstance(error, requests.exceptions.SSLError):
        return TrackingError(
            f"no secure connection to the tracking server {server}: {reason_of(error, timeout)}",
            hint="set MLFLOW_TRACKING_SERVER_CERT_PATH to a file of trusted certificates; for http, write http://",
        )
    if any(
        isinstance(cause, BadStatusLine) and not isinstance(cause, RemoteDisconnected)
        for cause in _causes(error)
    ):
        return not_mlflow(server, "not HTTP")
    return UnavailableError(
        f"the tracking server {server} cannot be reached: {reason_of(error, timeout)}",
        hint="check that it runs, and the address (--tracking-uri, MLFLOW_TRACKING_URI)",
    )


def reason_of(error: Exception, timeout: tuple[float, float]) -> str:
    """Why there is no answer, in words that hold no URL."""
    causes = tuple(_causes(error))
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


def _causes(error: BaseException) -> Iterator[BaseException]:
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
