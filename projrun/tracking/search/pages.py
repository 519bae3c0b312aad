"""Page tokens: opaque to a client; within, where the last page ended, so that rows which come or go move none."""

from __future__ import annotations

import binascii
import json
from collections.abc import Sequence

from projrun.errors import InvalidValueError
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_LONGEST = 250_000
"""Characters of a token: twenty values that are sorted by, of 8,000 characters at most."""


def make_token(position: Sequence[object]) -> str:
    """The token of the page that begins after `position`: JSON values, floats that are infinite among them."""
    text = json.dumps(position, separators=(",", ":"))
    return binascii.b2a_base64(text.encode(), newline=False).decode()


def read_token(token: str, kinds: Sequence[type]) -> Any:
    """The position of a token, as many values as there are kinds; each of its kind.

    Raises InvalidValueError for a token that is none of this search's.
    """
    try:
        if len(token) > _LONGEST * 2:
            raise ValueError(token)
        position = json.loads(binascii.a2b_base64(token.encode("ascii")))
        if not isinstance(position, list) or len(position) != len(kinds):
            raise ValueError(position)
        return tuple(map(_checked, position, kinds))
    except (ValueError, RecursionError) as error:  # binascii.Error and UnicodeEncodeError are ValueErrors
        raise InvalidValueError("Invalid page token: not issued by this store") from error


def _checked(value: object, kind: type) -> object:
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return value
