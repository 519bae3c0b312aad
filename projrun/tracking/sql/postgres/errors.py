"""PostgreSQL's errors as the store's, by their codes (PostgreSQL's documentation, appendix A)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from projrun.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidValueError,
    TrackingError,
    UnavailableError,
)

_UNIQUE = "23505"
_ESCAPE = "22025"
_CONFLICTS = frozenset({"40001", "40P01"})
"""Two transactions that cannot both be kept: another try may succeed."""
_CANCELED = frozenset({"57014", "55P03"})
_LOGIN = "check the user name and the password in the URI, PGPASSWORD or ~/.pgpass"
_CREATE = "create it: createdb NAME"
_HINTS = {
    "28": _LOGIN,
    "3D": _CREATE,
    "42": "may this user create and change tables there?",
    "53": "is the disk full, or are there too many connections?",
}


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Errors of the database at `uri`, a text without credentials, as the store's."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(uri, error) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise InvalidValueError(f"a value cannot be stored: {error}") from error


def translated(uri: str, error: psycopg.Error) -> TrackingError:
    """The store's error for one of psycopg's."""
    code = error.sqlstate or ""
    text = _text(error)
    if code == _UNIQUE:
        return AlreadyExistsError(f"the store has one already: {error.diag.message_detail or text}")
    if code in _CONFLICTS:
        return ConflictError(f"another transaction was faster: {text}", hint="try again")
    if code in _CANCELED:
        return UnavailableError(f"the store {uri} took too long: {text}", hint="try again later")
    if code == _ESCAPE:
        return InvalidValueError(f"invalid pattern: {text}")
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return InvalidValueError(f"a value cannot be stored: {text}")
    if isinstance(error, psycopg.OperationalError):
        return UnavailableError(f"the store {uri} cannot be reached: {text}", hint=_hint(code, text))
    return TrackingError(f"the store {uri} cannot be used: {text}", hint=_HINTS.get(code[:2], ""))


def _hint(code: str, text: str) -> str:
    """By the code, which libpq keeps to itself where a connection is refused."""
    if "password" in text:
        return _LOGIN
    if not code and text.endswith("does not exist"):
        return _CREATE
    return _HINTS.get(code[:2], "does PostgreSQL run there?")


def _text(error: psycopg.Error) -> str:
    """What the server says, in one line, or libpq's line for the last address it tried."""
    if error.diag.message_primary:
        return error.diag.message_primary
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
