"""The artifacts of a source, copied to the target: those that are not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from projrun.journal.files import SENT_AGAIN, Place
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import FileInfo


def copy_files(source: ArtifactRepository, target: ArtifactRepository) -> Iterator[int]:
    """Copy what the target does not have; gives the bytes of each file that was copied. One copy at most is held."""
    place = Place(target)
    for entry in files_of(source):
        if source.folder is not None:
            file = source.folder / entry.path
            if not place.has(file, entry.path):
                yield _upload(target, file, entry.path)
        # A remote file is as good as another of its size: to compare them, it would have to be fetched.
        elif (entry.size or 0) <= SENT_AGAIN or not place.has_size(entry.path, entry.size or 0):
            with TemporaryDirectory(prefix="projrun-") as folder:
                file = source.download(entry.path, Path(folder))
                if not place.has(file, entry.path):
                    yield _upload(target, file, entry.path)


def _upload(target: ArtifactRepository, file: Path, path: str) -> int:
    target.upload(file, path)
    return file.stat().st_size


def files_of(repository: ArtifactRepository, folder: str = "") -> Iterator[FileInfo]:
    for entry in repository.list(folder):
        if entry.is_dir:
            yield from files_of(repository, entry.path)
        else:
            yield entry
