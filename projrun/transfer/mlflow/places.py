"""Where the artifacts are that MLflow's own stores name: a stranger's store may name only places like MLflow's."""

from __future__ import annotations

import re
from pathlib import Path

from projrun.credentials import redact_uri
from projrun.errors import InvalidValueError, OutOfReachError
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.uris import local_path, served_path, uri_scheme
from projrun.tracking.entities import LoggedModel, Run

_SERVED = "mlflow-artifacts"
_UNKNOWN = "artifacts that a server keeps: name their place with --artifacts-destination"
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class ArtifactPlaces:
    """The artifacts of a store in `folder`; `destination` is where its server kept them."""

    def __init__(self, folder: Path, destination: str, skipped: list[str]) -> None:
        """`skipped` is given what cannot be found, once."""
        self._folder = folder
        default = folder / "mlartifacts"
        self._destination = destination or (str(default) if default.is_dir() else "")
        self.notes: dict[str, None] = {}
        """What people should know, each once."""
        self._skipped = skipped

    def of(self, owner: Run | LoggedModel, own: Path | None = None) -> ArtifactRepository | None:
        """The files of a run or a model, which may lie in a folder of its own. Raises OutOfReachError."""
        if own is not None and own.is_dir():
            if not own.resolve().is_relative_to(self._folder.resolve()):
                raise OutOfReachError(f"{own} is a link that leaves the store")
            return LocalArtifacts(own)
        uri = owner.artifact_uri
        if not uri:
            return None
        if uri_scheme(uri) == _SERVED:
            return self._served(uri)
        name = owner.run_id if isinstance(owner, Run) else owner.model_id
        if not _ID.fullmatch(name) or not uri.partition("?")[0].rstrip("/").endswith(f"/{name}/artifacts"):
            raise OutOfReachError(f"{redact_uri(uri)} is not where MLflow keeps them")
        if uri_scheme(uri) in ("", "file"):
            return self._local(self._folder / local_path(uri))
        return open_repository(uri)

    def _served(self, uri: str) -> ArtifactRepository | None:
        if not self._destination:
            if _UNKNOWN not in self._skipped:
                self._skipped.append(_UNKNOWN)
            return None
        body = uri.partition(":")[2]
        path = body.removeprefix("//").partition("/")[2] if body.startswith("//") else body
        try:
            return open_repository(f"{self._destination.rstrip('/')}/{served_path(f'{_SERVED}:{path}')}")
        except InvalidValueError as error:
            raise OutOfReachError(error.message) from error

    def _local(self, folder: Path) -> ArtifactRepository:
        root = folder.parents[2]
        if (
            not root.exists()
        ):  # an experiment's folder is made with its first artifact, but this one holds them all
            self.notes[f"no artifacts found: {root} does not exist"] = None
        return LocalArtifacts(folder)
