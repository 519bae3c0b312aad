"""Where a store that is served keeps artifacts: `--artifacts-destination` and `--default-artifact-root`."""

from __future__ import annotations

from pathlib import Path

from projrun.credentials import redact_uri
from projrun.errors import RequestError
from projrun.http.object_stores import EXTRAS, missing_extra
from projrun.tracking.artifacts.uris import local_path, uri_scheme
from projrun.tracking.sql.store import SERVED, SqlStore
from projrun.tuples import NamedTuple


class ArtifactRoots(NamedTuple):
    """Both are folders or URIs of object stores; empty: the store's own folder, served."""

    destination: str = ""
    """What holds the artifacts that the server passes on (`mlflow-artifacts:`)."""
    default: str = ""
    """Below it the artifacts of new experiments have their places, which clients reach without the server."""


def checked_roots(roots: ArtifactRoots) -> ArtifactRoots:
    """Folders made absolute. Raises RequestError for a destination out of reach, also where its extra is missing."""
    return ArtifactRoots(_checked(roots.destination), _checked(roots.default, SERVED))


def place_artifacts(store: SqlStore, roots: ArtifactRoots) -> SqlStore:
    """The store, which keeps artifacts by `roots` from now on."""
    if roots.default:
        store.default_root = roots.default
    if uri_scheme(roots.destination):
        store.destination = roots.destination
    elif roots.destination:
        store.artifact_root = Path(roots.destination)
    return store


def settle_default_experiment(store: SqlStore) -> None:
    """Move the experiment Default, which every store has, to the default root while it has no runs."""
    with store._engine.writing() as connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0 AND artifact_location = ?"
            " AND NOT EXISTS (SELECT 1 FROM runs WHERE experiment_id = 0)",
            (f"{store.default_root}/0", f"{SERVED}:/0"),
        )


def _checked(root: str, *others: str) -> str:
    scheme = uri_scheme(root)
    if not root or scheme in others:
        return root.rstrip("/")
    if scheme in ("", "file"):
        folder = local_path(root).absolute()
        if folder.exists() and not folder.is_dir():
            raise RequestError(f"artifacts cannot be kept at {folder}: it is not a folder")
        return str(folder)
    if scheme not in EXTRAS:
        raise RequestError(
            f"artifacts cannot be kept at {redact_uri(root)}", hint="a folder, or a URI of s3, gs or abfss"
        )
    if not others and (
        extra := missing_extra(scheme)
    ):  # what clients reach by themselves they have libraries for
        raise RequestError(
            f"artifacts cannot be kept at {redact_uri(root)}: its library is not installed",
            hint=f"pip install 'projrun[{extra}]'",
        )
    return root.rstrip("/")
