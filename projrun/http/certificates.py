"""Trusted certificates and client certificates for TLS: files that environment variables name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import urllib3

from projrun.errors import RequestError

_SERVER = "MLFLOW_TRACKING_SERVER_CERT_PATH"


def trusted_by_mlflow(environ: Mapping[str, str]) -> bool | str:
    """requests' `verify` for a tracking server, as MLflow's client has it. Raises RequestError."""
    certificates = named_file(environ, _SERVER)
    if environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() not in ("true", "1"):
        return certificates or trusted(environ)
    if certificates:
        raise RequestError(
            f"MLFLOW_TRACKING_INSECURE_TLS and {_SERVER} contradict each other", hint="unset one of them"
        )
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return False


def trusted(environ: Mapping[str, str]) -> bool | str:
    """requests' `verify` for any server, from the variables that requests reads. Raises RequestError."""
    return named_file(environ, "REQUESTS_CA_BUNDLE") or named_file(environ, "CURL_CA_BUNDLE") or True


def named_file(environ: Mapping[str, str], variable: str) -> str | None:
    """The file that a variable names; RequestError for one that does not exist."""
    name = environ.get(variable)
    if name and not Path(name).exists():
        raise RequestError(f"{variable} names {name!r}, which does not exist")
    return name or None
