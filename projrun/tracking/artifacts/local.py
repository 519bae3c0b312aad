"""Artifacts in a local folder. On the hot path: the run's log ends here."""

from __future__ import annotations

from pathlib import Path

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.artifacts.files import copy_whole
from projrun.tracking.artifacts.paths import checked_new_path, checked_path, contained, is_partial
from projrun.tracking.entities import FileInfo


class LocalArtifacts:
    """The files under a folder, which may not exist yet. Nothing outside it is ever read or written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def folder(self) -> Path:
        """The root."""
        return self.root

    def upload(self, file: Path, path: str) -> None:
        """Copy a file to `path`. Raises InvalidValueError for a path that leads out or is a folder."""
        place = contained(self.root, checked_new_path(path))
        if place.is_dir():
            raise InvalidValueError(f"the artifact {path!r} is a folder already")
        copy_whole(file, place)

    def list(self, path: str = "") -> tuple[FileInfo, ...]:
        """The entries of a folder, sorted; empty where there is none.

        Symlinks that lead out are not shown, nor links to folders: they can form loops.
        """
        folder = contained(self.root, path)
        try:
            names = sorted(entry.name for entry in folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return ()
        prefix = checked_path(path)
        entries = (self._entry(f"{prefix}/{name}" if prefix else name) for name in names)
        return tuple(entry for entry in entries if entry is not None)

    def _entry(self, path: str) -> FileInfo | None:
        if is_partial(path.rpartition("/")[2]):
            return None
        try:
            place = contained(self.root, path)
            if place.is_dir():
                return None if place.is_symlink() else FileInfo(path, True)
            return FileInfo(path, False, place.stat().st_size) if place.is_file() else None
        except (InvalidValueError, OSError):
            return None

    def download(self, path: str, destination: Path) -> Path:
        """Copy an artifact to `destination/path`. Raises NotFoundError where there is none."""
        source = contained(self.root, path)
        target = destination / checked_path(path)
        if source.is_dir():
            self._download_folder(path, destination)
        elif source.is_file():
            copy_whole(source, target)
        else:
            raise NotFoundError(f"artifact {path!r} not found in {str(self.root)!r}")
        return target

    def _download_folder(self, path: str, destination: Path) -> None:
        (destination / checked_path(path)).mkdir(parents=True, exist_ok=True)
        for entry in self.list(path):
            self.download(entry.path, destination)
