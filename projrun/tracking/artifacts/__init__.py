"""Artifacts: the files of a run, wherever its `artifact_uri` says that they are. On the hot path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from projrun.credentials import redact_uri
from projrun.errors import TrackingError
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.uri import split_uri

if TYPE_CHECKING:
    from projrun.tracking.rest.transport import Transport
    from projrun.tracking.store import ArtifactRepository

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


def open_repository(
    artifact_uri: str, transport: Transport | None = None, environ: Mapping[str, str] | None = None
) -> ArtifactRepository:
    """The files under an artifact URI.

    `transport` is the tracking server's, where there is one; `environ` holds the settings of object stores (else
    the transport's, else this process's). Raises TrackingError for a URI that projrun cannot reach.
    """
    scheme = uri_scheme(artifact_uri)
    if scheme in ("", "file"):
        return LocalArtifacts(local_path(artifact_uri))
    if scheme in ("mlflow-artifacts", "http", "https"):
        return _served(artifact_uri, scheme, transport)
    if scheme in EXTRAS:
        from projrun.tracking.artifacts.remote import RemoteArtifacts

        return RemoteArtifacts(artifact_uri, environ or (transport.environ if transport else os.environ))
    raise TrackingError(
        f"projrun cannot reach artifacts at {redact_uri(artifact_uri)}",
        hint="supported: local folders, mlflow-artifacts:, http(s), s3, gs and abfss",
    )


def _served(artifact_uri: str, scheme: str, transport: Transport | None) -> ArtifactRepository:
    from projrun.tracking.artifacts.mlflow_artifacts import MlflowArtifacts

    if transport is None:
        raise TrackingError(
            f"the artifacts at {redact_uri(artifact_uri)} are behind an MLflow server, and none is configured",
            hint="give that server's address with --tracking-uri",
        )
    return MlflowArtifacts.locate(artifact_uri, transport)


def uri_scheme(uri: str) -> str:
    """The scheme in lower case; empty for a path, Windows drives included."""
    head, colon, _ = uri.partition(":")
    if not colon or len(head) < 2 or not head[0].isalpha():
        return ""
    return head.lower() if all(character.isalnum() or character in "+-." for character in head) else ""


def local_path(uri: str) -> Path:
    """The path that a `file:` URI (RFC 8089) or a plain path names; TrackingError for another host's file."""
    if uri_scheme(uri) != "file":
        return Path(uri)
    parts = split_uri(uri)
    path = unquote(parts.path) if parts and parts.netloc in ("", "localhost") else ""
    if not path.startswith("/") or "\0" in path:
        raise TrackingError(f"{uri!r} is not a file on this machine", hint="file:///FOLDER/FILE")
    # On Windows, file:///C:/folder.
    return Path(path[1:] if path[2:3] == ":" else path)
