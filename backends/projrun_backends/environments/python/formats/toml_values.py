"""Values of TOML files that become words for an installer: one line each, and no options."""

from __future__ import annotations

import re

from projrun.errors import RequestError

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"


def one_line(value: object, origin: str) -> str:
    """A text of one line; RequestError, which begins with `origin`, for anything else."""
    if not isinstance(value, str):
        raise RequestError(f"{origin}: expected text, not {type(value).__name__}")
    if not value.isprintable():
        raise RequestError(f"{origin}: {value!r} has characters that cannot be printed")
    return value


def one_word(value: object, origin: str) -> str:
    """A text without spaces."""
    text = one_line(value, origin)
    if not text or " " in text:
        raise RequestError(f"{origin}: {text!r} is not one word")
    return text


def package_name(value: object, origin: str) -> str:
    """The name of a package, as PyPI takes it."""
    text = one_line(value, origin)
    if not re.fullmatch(_NAME, text):
        raise RequestError(f"{origin}: {text!r} is not the name of a package")
    return text


def lines_of(value: object, origin: str) -> list[str]:
    """A list of texts of one line each."""
    if not isinstance(value, list):
        raise RequestError(f"{origin}: expected a list, not {type(value).__name__}")
    return [one_line(item, origin) for item in value]
