"""Which certificates a tracking server is trusted by, as MLflow's client has it."""

from __future__ import annotations

from collections.abc import Mapping

import urllib3

from projrun.errors import RequestError
from projrun.http.certificates import named_file, trusted

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
