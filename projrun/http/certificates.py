"""Trusted certificates and client certificates for TLS: files that environment variables name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError


def trusted(environ: Mapping[str, str]) -> bool | str:
    """requests' `verify` for any server, from the variables that requests reads. Raises RequestError."""
    return named_file(environ, "REQUESTS_CA_BUNDLE") or named_file(environ, "CURL_CA_BUNDLE") or True


def named_file(environ: Mapping[str, str], variable: str) -> str | None:
    """The file that a variable names; RequestError for one that does not exist."""
    name = environ.get(variable)
    if name and not Path(name).exists():
        raise RequestError(f"{variable} names {name!r}, which does not exist")
    return name or None
