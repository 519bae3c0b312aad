"""Artifacts behind an MLflow server: its `mlflow-artifacts` routes, streamed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from projrun.credentials import redact_uri
from projrun.errors import NotFoundError, TrackingError
from projrun.tracking.artifacts.paths import checked_file_path, checked_new_path, checked_path
from projrun.tracking.entities import FileInfo
from projrun.tracking.rest import wire
from projrun.tracking.rest.transport import Transport
from projrun.tracking.uri import split_uri

ROUTE = "api/2.0/mlflow-artifacts/artifacts"
_MOST_FOLDERS = 10_000


class MlflowArtifacts:
    """The files under one folder of a server's artifact storage."""

    folder: Path | None = None
    """Never on this machine."""

    def __init__(self, transport: Transport, root: str) -> None:
        """`root` is the folder's path in the server's storage."""
        self._transport = transport
        self._root = checked_path(root.lstrip("/"))

    @classmethod
    def locate(cls, artifact_uri: str, tracking: Transport) -> MlflowArtifacts:
        """From `mlflow-artifacts:/path`, `mlflow-artifacts://host:port/path` or the route's http address.

        Only the tracking server itself gets its credentials (MLflow's client sends them to any host).
        """
        parts = split_uri(artifact_uri)
        if parts is None:
            raise TrackingError(f"{redact_uri(artifact_uri)} is malformed")
        if parts.scheme == "mlflow-artifacts":
            if not parts.netloc:
                return cls(tracking, parts.path)
            # As MLflow's client does it: the path is not quoted, and a host means no prefix.
            return cls(tracking.towards(parts._replace(scheme=tracking.address.scheme, path="")), parts.path)
        prefix, found, path = parts.path.partition(f"/{ROUTE}")
        if not found:
            raise TrackingError(
                f"{redact_uri(artifact_uri)} is not the artifact storage of an MLflow server",
                hint=f"its address would contain /{ROUTE}",
            )
        return cls(tracking.towards(parts._replace(path=prefix)), unquote(path))

    def upload(self, file: Path, path: str) -> None:
        """Send a file. Raises InvalidValueError for a path that climbs out, TrackingError for a refusal."""
        self._transport.upload(self._route(checked_new_path(path)), file)

    def list(self, path: str = "") -> tuple[FileInfo, ...]:
        """The entries of a folder, sorted; empty where there is none."""
        folder = checked_path(path)
        try:
            files = self._transport.get(ROUTE, [("path", _join(self._root, folder))], wire.files_answer)
        except NotFoundError:
            return ()
        return _sorted(file._replace(path=_join(folder, checked_file_path(file.path))) for file in files)

    def download(self, path: str, destination: Path) -> Path:
        """Copy an artifact to `destination/path`. Raises NotFoundError where there is none."""
        checked = checked_path(path)
        files = tuple(self._files(checked)) or self._file(checked)
        for file in files:
            self._transport.download(self._route(file), destination / file)
        return destination / checked

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all it holds."""
        self._transport.delete(self._route(checked_path(path)))

    def _file(self, path: str) -> tuple[str]:
        """The file at a path, asked of its folder: MLflow 2 answers 500 for a file that is not there."""
        if not any(entry.path == path for entry in self.list(path.rpartition("/")[0])):
            raise NotFoundError(
                f"the server {self._transport.shown} has no artifact {path!r} in {self._root!r}"
            )
        return (path,)

    def _files(self, folder: str) -> Iterator[str]:
        """All files under a folder, deeply. A server that never stops listing folders is stopped."""
        folders = [folder]
        for count in itertools.count(1):
            if not folders:
                return
            if count > _MOST_FOLDERS:
                raise TrackingError(f"the artifact folder {folder!r} holds over {_MOST_FOLDERS} folders")
            for entry in self.list(folders.pop()):
                if entry.is_dir:
                    folders.append(entry.path)
                else:
                    yield entry.path

    def _route(self, path: str) -> str:
        return f"{ROUTE}/{quote(_join(self._root, path), safe='/')}"


def _sorted(files: Iterable[FileInfo]) -> tuple[FileInfo, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
