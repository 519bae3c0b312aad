"""What a tracking server's answer, or its silence, means: an object, or one line that says what is wrong."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from http.client import BadStatusLine, RemoteDisconnected

import requests

from projrun.credentials import redact_uri
from projrun.errors import (
    AlreadyExistsError,
    InvalidValueError,
    NotFoundError,
    TrackingError,
    UnavailableError,
)
from projrun.http.failures import FAILURES, causes_of, one_line, reason_of
from projrun.http.logins import Credentials
from projrun.tracking.rest.logins import PASSWORD, TOKEN, USERNAME

LARGEST_ANSWER = 128 * 1024 * 1024
"""Bytes of a JSON answer; a page of 1,000 runs with all their params is a tenth of it."""
_BY_ERROR_CODE: dict[str, type[TrackingError]] = {
    "RESOURCE_DOES_NOT_EXIST": NotFoundError,
    "NOT_FOUND": NotFoundError,
    "RESOURCE_ALREADY_EXISTS": AlreadyExistsError,
    "ALREADY_EXISTS": AlreadyExistsError,
    "INVALID_PARAMETER_VALUE": InvalidValueError,
    "BAD_REQUEST": InvalidValueError,
}


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
    if status == 403 and code == "PERMISSION_DENIED":
        # No matter of credentials that are missing: a server may be read-only, or have rules for its users.
        return TrackingError(f"the tracking server {server} does not permit this{_colon(message)}")
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
        for cause in causes_of(error)
    ):
        return not_mlflow(server, "not HTTP")
    return unreachable(server, reason_of(error, timeout))


def unreachable(server: str, reason: str) -> UnavailableError:
    """The error for a server that is not there, or takes too long."""
    return UnavailableError(
        f"the tracking server {server} cannot be reached: {reason}",
        hint="check that it runs, and the address (--tracking-uri, MLFLOW_TRACKING_URI)",
    )
