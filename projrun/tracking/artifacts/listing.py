"""All files under a path."""

from __future__ import annotations

from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import FileInfo


def artifact_files(repository: ArtifactRepository, path: str = "", *, most: int = 1000) -> list[FileInfo]:
    """The files, by their paths; at most so many. A path that is a file is that file."""
    found: list[FileInfo] = []
    folders = [path.strip("/")]
    while folders and len(found) < most:
        for entry in repository.list(folders.pop()):
            if entry.is_dir:
                folders.append(entry.path)
            else:
                found.append(entry)
    if not found and path:
        name = path.strip("/")
        found = [entry for entry in repository.list(name.rpartition("/")[0]) if entry.path == name]
    return sorted(found, key=lambda entry: entry.path)[:most]
