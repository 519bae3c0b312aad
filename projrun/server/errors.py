"""Errors in the shape of MLflow's REST API: `{"error_code": …, "message": …}`."""

from __future__ import annotations

import errno

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from projrun.errors import (
    AlreadyExistsError,
    InvalidValueError,
    NotFoundError,
    OutOfReachError,
    PluginError,
    ProjrunError,
    RequestError,
    TrackingError,
)
from projrun.http.serving.lingering import send_early
from projrun.tracking.parts import NotKeptError

_TOO_LARGE = 413


class TooLargeError(InvalidValueError):
    """A request's body is larger than the server takes."""


class UnauthenticatedError(ProjrunError):
    """The client did not sign in, or with what is not valid any more."""

    def __init__(self) -> None:
        super().__init__(
            "You are not authenticated. Sign in with a user's name and password, or with a token."
        )


class ForbiddenError(ProjrunError):
    """The user may not do this."""


_CODES: tuple[tuple[type[ProjrunError], int, str], ...] = (
    (NotFoundError, 404, "RESOURCE_DOES_NOT_EXIST"),
    (AlreadyExistsError, 400, "RESOURCE_ALREADY_EXISTS"),
    (TooLargeError, _TOO_LARGE, "REQUEST_LIMIT_EXCEEDED"),
    (InvalidValueError, 400, "INVALID_PARAMETER_VALUE"),
    (RequestError, 400, "INVALID_PARAMETER_VALUE"),
    (UnauthenticatedError, 401, "UNAUTHENTICATED"),
    (ForbiddenError, 403, "PERMISSION_DENIED"),
    (PluginError, 500, "INTERNAL_ERROR"),
    (NotKeptError, 501, "NOT_IMPLEMENTED"),
    (OutOfReachError, 501, "NOT_IMPLEMENTED"),
    # The store is locked, or its disk is full: MLflow's client tries 503 again.
    (TrackingError, 503, "TEMPORARILY_UNAVAILABLE"),
)


class _Body(msgspec.Struct):
    error_code: str
    message: str


class _Early(Response):
    """Ends the connection: else the rest of the body would still be read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers["connection"] = "close"
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send_early(start, bytes(self.body), receive, send)


def error_response(status: int, error_code: str, message: str) -> Response:
    """An error as MLflow's clients read it."""
    body = msgspec.json.encode(_Body(error_code, message))
    kind = _Early if status == _TOO_LARGE else Response
    return kind(body, status, media_type="application/json")


def explain(error: Exception) -> Response:
    """The answer to a request that failed; an error that is a bug here answers 500 with its type."""
    if isinstance(error, ProjrunError):
        for kind, status, code in _CODES:
            if isinstance(error, kind):
                hint = f" ({error.hint})" if error.hint else ""
                response = error_response(status, code, error.message + hint)
                if status == 401:
                    response.headers["www-authenticate"] = 'Basic realm="mlflow"'
                return response
    if isinstance(error, msgspec.MsgspecError | UnicodeError | RecursionError):
        return error_response(400, "INVALID_PARAMETER_VALUE", f"invalid request: {error}")
    if isinstance(error, OSError):
        return _explain_file(error)
    return error_response(500, "INTERNAL_ERROR", f"a bug in projrun: {type(error).__name__}: {error}")


def _explain_file(error: OSError) -> Response:
    """A path that no file can have is the client's mistake; a full disk may have room the next time."""
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL):
        return error_response(400, "INVALID_PARAMETER_VALUE", f"not a path for an artifact: {error.strerror}")
    return error_response(503, "TEMPORARILY_UNAVAILABLE", f"the artifact cannot be kept: {error.strerror}")
