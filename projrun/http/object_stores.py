"""Object stores, through fsspec, which comes with the extras `s3`, `gcs` and `azure`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from projrun.credentials import redact_uri, without_queries
from projrun.errors import OutOfReachError, ProjrunError, TrackingError
from projrun.http.variables import enabled

EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
}
"""The schemes of object stores that fsspec reaches, and the extra of projrun's that each needs."""
_LIBRARIES = {"s3": "s3fs", "gcs": "gcsfs", "azure": "adlfs"}
"""The library that comes with an extra."""


def open_filesystem(uri: str, environ: Mapping[str, str]) -> tuple[Any, str]:
    """fsspec's file system of a URI, and the path in it. Raises TrackingError, naming the extra that is missing,
    and RequestError for a variable of MLflow's that is not valid."""
    scheme = uri.partition(":")[0].lower()
    # `::` chains file systems in fsspec: a server's artifact URI must not reach for others.
    if "::" in uri:
        raise OutOfReachError(f"{redact_uri(uri)} is not an artifact storage")
    try:
        _require(scheme)
        filesystem, root = import_module("fsspec.core").url_to_fs(uri, **options_of(scheme, environ))
    except ImportError as error:
        raise OutOfReachError(
            f"{scheme}:// needs a library that is not installed ({error.name or error})",
            hint=f"pip install 'projrun[{EXTRAS.get(scheme, 's3')}]'",
        ) from None
    except ProjrunError:
        raise
    except Exception as error:
        raise TrackingError(
            f"{redact_uri(uri)} cannot be opened: {type(error).__name__}",
            hint="check the credentials and the bucket's name",
            detail=without_queries(str(error)),
        ) from error
    return filesystem, str(root)


def missing_extra(scheme: str) -> str:
    """The extra that a scheme of EXTRAS needs and that is not installed; else empty. Imports nothing of it."""
    extra = EXTRAS[scheme]
    return extra if find_spec(_LIBRARIES[extra]) is None else ""


def _require(scheme: str) -> None:
    """ImportError if no library provides a scheme."""
    try:
        import_module("fsspec").get_filesystem_class(scheme)
    except ValueError:  # adlfs brings the name abfss with it; fsspec itself knows the others' names
        raise ImportError(f"nothing provides {scheme}") from None


def options_of(scheme: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What MLflow reads for S3-compatible stores; the libraries find the credentials themselves."""
    if EXTRAS.get(scheme) != "s3":
        return {}
    endpoint = environ.get("MLFLOW_S3_ENDPOINT_URL")
    options: dict[str, Any] = {"endpoint_url": endpoint} if endpoint else {}
    if enabled(environ, "MLFLOW_S3_IGNORE_TLS"):
        options["client_kwargs"] = {"verify": False}
    style = environ.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE")
    if style:
        options["config_kwargs"] = {"s3": {"addressing_style": style}}
    extra = environ.get("MLFLOW_S3_UPLOAD_EXTRA_ARGS")
    if extra:
        options["s3_additional_kwargs"] = _json_object("MLFLOW_S3_UPLOAD_EXTRA_ARGS", extra)
    return options


def _json_object(variable: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TrackingError(
            f"{variable} is not a JSON object", hint='for example {"ServerSideEncryption": "aws:kms"}'
        )
    return found
