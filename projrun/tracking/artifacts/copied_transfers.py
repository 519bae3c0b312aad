"""Artifacts in pieces for repositories that take and give whole files: a temporary copy stands between."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from projrun.errors import InvalidValueError, TrackingError
from projrun.tracking.artifacts.local_transfers import LocalFile, LocalTransfers, NewLocalFile
from projrun.tracking.artifacts.paths import checked_file_path, checked_new_path, checked_path
from projrun.tracking.artifacts.repository import ArtifactRepository


class CopiedTransfers:
    """Transfers of any repository."""

    def __init__(self, repository: ArtifactRepository) -> None:
        self._repository = repository

    def open(self, path: str) -> CopiedFile:
        """A file to be read, downloaded first. Raises NotFoundError, and InvalidValueError for a folder."""
        checked = checked_file_path(path)
        if self._repository.list(checked):
            raise InvalidValueError(f"Artifact path refers to a directory, not a file: '{path}'")
        folder = _temporary_folder()
        try:
            self._repository.download(checked, folder)
            return CopiedFile(LocalTransfers(folder).open(checked), folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def create(self, path: str, size: int | None = None) -> CopiedUpload:
        """A file to be written, uploaded at the end."""
        return CopiedUpload(self._repository, checked_new_path(path))

    def delete(self, path: str) -> None:
        """Raises TrackingError where the repository has no `delete`, which it needs not have."""
        checked = checked_path(path)
        delete = getattr(self._repository, "delete", None)
        if delete is not None:
            delete(checked)
            return
        raise TrackingError(
            "this artifact storage deletes nothing", hint="delete the files where they are kept"
        )


class CopiedFile:
    """A file of a folder that goes with it."""

    def __init__(self, file: LocalFile, folder: Path) -> None:
        self._file, self._folder = file, folder
        self.size, self.version = file.size, file.version
        self.modified: float | None = None
        self.read = file.read

    def close(self) -> None:
        """Remove the copy."""
        self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class CopiedUpload:
    """A file that is uploaded when all of it is there."""

    def __init__(self, repository: ArtifactRepository, path: str) -> None:
        self._repository, self._path = repository, path
        self._folder = _temporary_folder()
        self._place = self._folder / "file"
        self._file = NewLocalFile(self._place)
        self.write = self._file.write

    def finish(self) -> None:
        """Upload the file."""
        try:
            self._file.finish()
            self._repository.upload(self._place, self._path)
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the copy."""
        self._file.discard()
        shutil.rmtree(self._folder, ignore_errors=True)


def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="projrun-artifact-"))
