"""`ArtifactRepository`: the files under one artifact URI, wherever they are."""

from __future__ import annotations

from pathlib import Path

from projrun.tracking.entities import FileInfo
from projrun.typed import Protocol


class ArtifactRepository(Protocol):
    """The files under one artifact URI. Paths are relative, with `/`; one that leads out is refused."""

    @property
    def folder(self) -> Path | None:
        """The folder on this machine that holds them; None if they are elsewhere."""
        ...

    def upload(self, file: Path, path: str) -> None:
        """Copy a file to `path`; an existing artifact is replaced."""
        ...

    def list(self, path: str = "") -> tuple[FileInfo, ...]:
        """The entries of a folder, sorted; empty where there is none."""
        ...

    def download(self, path: str, destination: Path) -> Path:
        """Copy an artifact (a file, or a folder with all it holds) into the folder `destination`."""
        ...
