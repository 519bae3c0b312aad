"""Downloads for `path` parameters: a URI's file or folder appears at its place whole, or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.credentials import redact_uri
from projrun.directories import make_private
from projrun.errors import ProjrunError, SourceError, TrackingError
from projrun.http.object_stores import EXTRAS
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.paths import partial_name
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.open import open_store
from projrun.tracking.runs import RunStore
from projrun.tracking.uri import parse_tracking_uri


def download_uri(uri: str, destination: Path, store: RunStore | None, environ: Mapping[str, str]) -> None:
    """Put what a URI names at `destination`, which becomes a file or a folder; a new folder around it is private.

    Knows http(s), runs:/, models:/, mlflow-artifacts: and object stores; the middle three are asked of `store`. Raises
    SourceError, naming the URI without its credentials.
    """
    try:
        with _working_folder(destination.parent) as folder:
            _fetch(uri, folder, store, environ).replace(destination)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{redact_uri(uri)} cannot be copied to {destination}: {reason}") from error
    except SourceError:
        raise
    except ProjrunError as error:
        raise SourceError(
            f"{redact_uri(uri)} cannot be downloaded: {error.message}", hint=error.hint, detail=error.detail
        ) from error


@contextlib.contextmanager
def _working_folder(parent: Path) -> Iterator[Path]:
    """A folder on the destination's file system, gone at the end whatever happens."""
    make_private(parent)
    folder = parent / partial_name()
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(uri: str, folder: Path, store: RunStore | None, environ: Mapping[str, str]) -> Path:
    """Bring it somewhere under `folder`; where to."""
    scheme = uri_scheme(uri)
    if scheme in ("http", "https"):
        from projrun.tracking.rest.files import fetch_file

        return fetch_file(uri, folder / "file", environ)
    if scheme in EXTRAS:
        parent, name = _split(uri)
        return open_repository(parent, environ=environ).download(name, folder / "files")
    if scheme in ("runs", "models", "mlflow-artifacts"):
        repository, path = _stored(uri, scheme, store, environ)
        return repository.download(path, folder / "files")
    raise SourceError(
        f"{redact_uri(uri)} cannot be downloaded: {scheme}: is not supported",
        hint="supported: http(s), runs, models, mlflow-artifacts, s3, gs and abfss",
    )


def _stored(
    uri: str, scheme: str, store: RunStore | None, environ: Mapping[str, str]
) -> tuple[ArtifactRepository, str]:
    if store is None:
        raise TrackingError("no tracking store is configured", hint="give one with --tracking-uri")
    if scheme == "mlflow-artifacts":
        parent, name = _split(uri)
        return store.artifacts(parent), name
    from projrun.tracking.artifacts.references import resolve

    with _registry(environ if scheme == "models" else {}) as registry:
        place = resolve(uri, store, registry=registry)
    return store.artifacts(place.artifact_uri), place.path


@contextlib.contextmanager
def _registry(environ: Mapping[str, str]) -> Iterator[RunStore | None]:
    """The store of MLflow's variable for registered models, where they are not in the tracking store."""
    uri = environ.get("MLFLOW_REGISTRY_URI")
    if not uri:
        yield None
        return
    store = open_store(parse_tracking_uri(uri), environ, warn=lambda text: None)
    try:
        yield store
    finally:
        store.close()


def _split(uri: str) -> tuple[str, str]:
    """The folder's URI and the last name, which is empty where the URI names only a host or a bucket."""
    scheme, _, body = uri.partition(":")
    authority, path = "", body
    if body.startswith("//"):
        authority, slash, path = body[2:].partition("/")
        authority = f"//{authority}{slash}"
    folder, slash, name = path.rstrip("/").rpartition("/")
    return f"{scheme}:{authority}{folder}{slash}", name
