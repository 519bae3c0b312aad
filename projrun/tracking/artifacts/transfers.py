"""Artifacts in pieces: what a server needs to pass files on as they arrive, and to delete them.

A repository of this machine or of an object store does so without a copy of the whole; any other by way of a file.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.remote import RemoteArtifacts
from projrun.tracking.artifacts.repository import ArtifactRepository


class OpenArtifact(Protocol):
    """A file that is being read; it stays as it was when it was opened."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    @property
    def version(self) -> str:
        """Another one for other contents."""
        ...

    @property
    def modified(self) -> float | None:
        """When it was written, in seconds since 1970; None where that is not known."""
        ...

    def read(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start` on; fewer only at the end."""
        ...

    def close(self) -> None: ...


class NewArtifact(Protocol):
    """A file that is being written. It is not shown before `finish`, and never after `discard`."""

    def write(self, piece: bytes) -> None: ...
    def finish(self) -> None: ...
    def discard(self) -> None: ...


@runtime_checkable
class ArtifactTransfers(Protocol):
    """What a repository that streams offers. Paths and errors as for `ArtifactRepository`."""

    def open(self, path: str) -> OpenArtifact:
        """A file to be read. Raises NotFoundError, and InvalidValueError for a folder."""
        ...

    def create(self, path: str, size: int | None = None) -> NewArtifact:
        """A file to be written, which replaces an existing one; its size where that is known already."""
        ...

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all it holds; nothing happens where there is none."""
        ...


def transfers_of(repository: ArtifactRepository) -> ArtifactTransfers:
    """The transfers of any repository."""
    if isinstance(repository, ArtifactTransfers):
        return repository
    if isinstance(repository, LocalArtifacts):
        from projrun.tracking.artifacts.local_transfers import LocalTransfers

        return LocalTransfers(repository.root)
    if isinstance(repository, RemoteArtifacts):
        from projrun.tracking.artifacts.remote_transfers import RemoteTransfers

        return RemoteTransfers(repository)
    from projrun.tracking.artifacts.copied_transfers import CopiedTransfers

    return CopiedTransfers(repository)


def delete_artifacts(repository: ArtifactRepository, path: str = "") -> None:
    """Delete the artifacts of a run, or the file or folder `path` of them. Raises TrackingError where that fails."""
    transfers_of(repository).delete(path)
