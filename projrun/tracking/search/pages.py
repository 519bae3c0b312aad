"""Page tokens: opaque to a client, an offset within."""

from __future__ import annotations

import binascii

from projrun.errors import InvalidValueError

_PREFIX = b"offset:"


def page_token(offset: int) -> str:
    """The token of the page that begins at `offset`."""
    return binascii.b2a_base64(_PREFIX + str(offset).encode(), newline=False).decode()


def page_offset(token: str) -> int:
    """Where the page of a token begins; 0 for an empty token. Raises InvalidValueError."""
    if not token:
        return 0
    try:
        text = binascii.a2b_base64(token.encode("ascii"))
        if not text.startswith(_PREFIX) or len(text) > 30:
            raise ValueError(text)
        offset = int(text[len(_PREFIX) :])
        if not 0 <= offset < 2**63:
            raise ValueError(offset)
        return offset
    except ValueError as error:  # binascii.Error and UnicodeEncodeError are ValueErrors
        raise InvalidValueError("invalid page_token: not issued by this store") from error
