"""From an artifact URI to its files. On the hot path."""

from __future__ import annotations

import os
from collections.abc import Mapping

from projrun.credentials import redact_uri
from projrun.errors import OutOfReachError
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.uris import local_path, uri_scheme
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.artifacts.repository import ArtifactRepository
    from projrun.tracking.rest.transport import Transport
    from projrun.tracking.runs import Deadline


def open_repository(
    artifact_uri: str,
    transport: Transport | None = None,
    environ: Mapping[str, str] | None = None,
    deadline: Deadline | None = None,
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
    from projrun.http.object_stores import EXTRAS

    environ = environ or (transport.environ if transport else os.environ)
    if scheme in EXTRAS:
        from projrun.tracking.artifacts.remote import RemoteArtifacts

        return RemoteArtifacts(artifact_uri, environ, deadline or (transport.deadline if transport else None))
    from projrun.tracking.extensions import open_plugin_artifacts

    found = open_plugin_artifacts(scheme, artifact_uri, environ)
    if found is not None:
        return found
    raise OutOfReachError(
        f"projrun cannot reach artifacts at {redact_uri(artifact_uri)}",
        hint="supported: local folders, mlflow-artifacts:, http(s), s3, gs, abfss, and schemes of installed plug-ins",
    )


def _served(artifact_uri: str, scheme: str, transport: Transport | None) -> ArtifactRepository:
    from projrun.tracking.artifacts.mlflow_artifacts import MlflowArtifacts

    if transport is None:
        raise OutOfReachError(
            f"the artifacts at {redact_uri(artifact_uri)} are behind an MLflow server, and none is configured",
            hint="give that server's address with --tracking-uri",
        )
    return MlflowArtifacts.locate(artifact_uri, transport)
