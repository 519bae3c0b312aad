"""Artifacts in an object store, through fsspec, which comes with the extras `s3`, `gcs` and `azure`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from projrun.credentials import redact_uri, without_queries
from projrun.errors import NotFoundError, ProjrunError, TrackingError
from projrun.http.object_stores import open_filesystem
from projrun.tracking.artifacts.paths import checked_file_path, checked_new_path, checked_path, partial_name
from projrun.tracking.bounded import RATE, Bounded, LateError
from projrun.tracking.entities import FileInfo
from projrun.tracking.runs import Deadline

_TIMEOUT = 60.0
"""Seconds for a call, and more for a large file."""
_RESULT = TypeVar("_RESULT")


class RemoteArtifacts:
    """The files under a URI of fsspec's (`s3://bucket/folder`)."""

    folder: Path | None = None
    """Never on this machine."""

    def __init__(self, uri: str, environ: Mapping[str, str], deadline: Deadline | None = None) -> None:
        """Raises TrackingError, naming the extra to install, where the store's library is missing."""
        self._shown = redact_uri(uri)
        self._deadline = deadline
        self.filesystem, root = open_filesystem(uri, environ)
        self._root = root.rstrip("/")

    def upload(self, file: Path, path: str) -> None:
        """Send a file; object stores show an object only when it is whole. OSError for an unreadable file."""
        place = self.place(checked_new_path(path))
        with file.open("rb"), self.failures("take", path):
            self.bounded(lambda: self.filesystem.put_file(str(file), place), file.stat().st_size)

    def list(self, path: str = "") -> tuple[FileInfo, ...]:
        """The entries of a folder, sorted; empty where there is none."""
        folder = checked_path(path)
        place = self.place(folder)
        with self.failures("list", path):
            self.filesystem.invalidate_cache()
            try:
                found = self.bounded(lambda: self.filesystem.ls(place, detail=True))
            except (FileNotFoundError, NotADirectoryError):
                return ()
        return tuple(sorted(_entries(found, place, folder), key=lambda entry: entry.path))

    def download(self, path: str, destination: Path) -> Path:
        """Copy an artifact to `destination/path`. Raises NotFoundError where there is none."""
        checked = checked_path(path)
        entries = self.list(checked)
        if not entries:
            with self.failures("give", path):
                self.bounded(lambda: self.filesystem.info(self.place(checked)))
            self._fetch(checked, destination / checked)
        for entry in entries:
            if entry.is_dir:
                self.download(entry.path, destination)
            else:
                self._fetch(entry.path, destination / entry.path)
        return destination / checked

    def _fetch(self, path: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.parent / partial_name()
        try:
            with self.failures("give", path):
                self.filesystem.get_file(self.place(path), str(partial))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def bounded(self, action: Callable[[], _RESULT], size: int = 0) -> _RESULT:
        """A call's result, in the time that it and `size` bytes may take.

        The libraries have timeouts of their own, of many minutes with their retries.
        """
        return Bounded[_RESULT](_TIMEOUT + size / RATE, self._deadline).call(action)

    def place(self, path: str) -> str:
        """An artifact's path in the file system."""
        return f"{self._root}/{path}" if path else self._root

    @contextlib.contextmanager
    def failures(self, verb: str, path: str) -> Iterator[None]:
        """fsspec's libraries raise anything: each error becomes one line that says where."""
        try:
            yield
        except LateError as error:
            raise TrackingError(f"{self._shown} does not {verb} {path or 'its files'}: {error}") from None
        except ProjrunError:
            raise
        except Exception as error:
            if verb == "give" and isinstance(error, (FileNotFoundError, IsADirectoryError)):
                raise NotFoundError(f"artifact {path!r} not found in {self._shown}") from None
            raise TrackingError(
                f"{self._shown} does not {verb} {path or 'its files'}: {type(error).__name__}",
                hint="check the credentials and the bucket's name",
                detail=without_queries(str(error)),
            ) from error


def _entries(found: Iterable[Mapping[str, Any]], place: str, folder: str) -> Iterator[FileInfo]:
    for item in found:
        name = str(item["name"]).rstrip("/")
        # A file lists itself, and some stores keep an empty object for the folder.
        if name.strip("/") == place.strip("/"):
            continue
        last = checked_file_path(name.rpartition("/")[2])
        is_dir = item["type"] == "directory"
        size = item.get("size")
        yield FileInfo(f"{folder}/{last}" if folder else last, is_dir, None if is_dir else size)
