"""Artifacts in an object store, through fsspec, which comes with the extras `s3`, `gcs` and `azure`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from projrun.credentials import redact_uri, without_queries
from projrun.errors import NotFoundError, OverdueError, TrackingError
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
        self._filesystem, root = open_filesystem(uri, environ)
        self._root = root.rstrip("/")

    def upload(self, file: Path, path: str) -> None:
        """Send a file; object stores show an object only when it is whole. OSError for an unreadable file."""
        place = self._place(checked_new_path(path))
        with file.open("rb"), self._failures("take", path):
            seconds = _TIMEOUT + file.stat().st_size / RATE
            self._bounded(lambda: self._filesystem.put_file(str(file), place), seconds)

    def list(self, path: str = "") -> tuple[FileInfo, ...]:
        """The entries of a folder, sorted; empty where there is none."""
        folder = checked_path(path)
        place = self._place(folder)
        with self._failures("list", path):
            self._filesystem.invalidate_cache()
            try:
                found = self._bounded(lambda: self._filesystem.ls(place, detail=True), _TIMEOUT)
            except (FileNotFoundError, NotADirectoryError):
                return ()
        return tuple(sorted(_entries(found, place, folder), key=lambda entry: entry.path))

    def download(self, path: str, destination: Path) -> Path:
        """Copy an artifact to `destination/path`. Raises NotFoundError where there is none."""
        checked = checked_path(path)
        entries = self.list(checked)
        if not entries:
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
            with self._failures("give", path):
                self._filesystem.get_file(self._place(path), str(partial))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def _bounded(self, action: Callable[[], _RESULT], seconds: float) -> _RESULT:
        """The libraries have timeouts of their own, of many minutes with their retries."""
        return Bounded[_RESULT](seconds, self._deadline).call(action)

    def _place(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    @contextlib.contextmanager
    def _failures(self, verb: str, path: str) -> Iterator[None]:
        """fsspec's libraries raise anything: each error becomes one line that says where."""
        try:
            yield
        except OverdueError:
            raise
        except LateError as error:
            raise TrackingError(f"{self._shown} does not {verb} {path or 'its files'}: {error}") from None
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
