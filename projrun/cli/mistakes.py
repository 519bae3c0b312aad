"""Whose mistake it is that a store refuses a call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError, RequestError


@contextmanager
def asked_wrongly() -> Iterator[None]:
    """What the store does not have, or does not take, was asked for wrongly: RequestError."""
    try:
        yield
    except (NotFoundError, AlreadyExistsError, InvalidValueError) as error:
        raise RequestError(error.message, hint=error.hint) from error
