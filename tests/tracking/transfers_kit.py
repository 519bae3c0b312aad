"""What every `ArtifactTransfers` does; a subclass provides an empty repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.transfers import ArtifactTransfers, delete_artifacts, transfers_of

CONTENT = bytes(range(256)) * 400


def written(transfers: ArtifactTransfers, path: str, *pieces: bytes) -> None:
    """Write a file from pieces."""
    new = transfers.create(path, sum(map(len, pieces)))
    for piece in pieces:
        new.write(piece)
    new.finish()


def content(transfers: ArtifactTransfers, path: str) -> bytes:
    """A whole file."""
    file = transfers.open(path)
    try:
        return file.read(0, file.size + 10)
    finally:
        file.close()


class TransfersKit:
    """Files in pieces."""

    @pytest.fixture
    def repository(self) -> ArtifactRepository:
        """The repository, empty; a subclass provides it."""
        raise NotImplementedError

    @pytest.fixture
    def transfers(self, repository: ArtifactRepository) -> ArtifactTransfers:
        return transfers_of(repository)

    def test_pieces_make_a_file(self, repository: ArtifactRepository, transfers: ArtifactTransfers) -> None:
        written(transfers, "a b/é.bin", CONTENT[:100], b"", CONTENT[100:])
        assert content(transfers, "a b/é.bin") == CONTENT
        assert [(entry.path, entry.size) for entry in repository.list("a b")] == [("a b/é.bin", len(CONTENT))]
        written(transfers, "empty")
        assert content(transfers, "empty") == b""

    def test_a_part_is_read(self, transfers: ArtifactTransfers) -> None:
        written(transfers, "file", CONTENT)
        file = transfers.open("file")
        try:
            assert file.size == len(CONTENT)
            assert file.read(300, 20) == CONTENT[300:320]
            assert file.read(len(CONTENT) - 5, 100) == CONTENT[-5:]
            assert file.read(0, 3) == CONTENT[:3]
        finally:
            file.close()

    def test_other_contents_are_another_version(self, transfers: ArtifactTransfers) -> None:
        versions = set()
        for text in (b"one", b"other", b"another one"):
            written(transfers, "file", text)
            file = transfers.open("file")
            versions.add(file.version)
            file.close()
        assert len(versions) == 3

    def test_what_is_not_there(self, transfers: ArtifactTransfers) -> None:
        written(transfers, "folder/file", b"x")
        with pytest.raises(NotFoundError):
            transfers.open("none")
        with pytest.raises(NotFoundError):
            transfers.open("folder/none")
        with pytest.raises(InvalidValueError, match="directory, not a file"):
            transfers.open("folder")

    @pytest.mark.parametrize("path", ["../out", "a/../../out", "/etc/passwd", "..", "", "a\\..\\out"])
    def test_path_that_climbs_out(self, transfers: ArtifactTransfers, path: str) -> None:
        with pytest.raises(InvalidValueError):
            transfers.open(path)
        with pytest.raises(InvalidValueError):
            transfers.create(path)
        if path:
            with pytest.raises(InvalidValueError):
                transfers.delete(path)

    def test_deletion(
        self, repository: ArtifactRepository, transfers: ArtifactTransfers, tmp_path: Path
    ) -> None:
        for path in ("run/model/MLmodel", "run/model/data/x", "run/log.txt", "run-2/log.txt"):
            written(transfers, path, b"x")
        transfers.delete("run/model/MLmodel")
        assert [entry.path for entry in repository.list("run/model")] == ["run/model/data"]
        delete_artifacts(repository, "run")
        delete_artifacts(repository, "run")
        assert [entry.path for entry in repository.list()] == ["run-2"]
        delete_artifacts(repository)
        assert repository.list() == ()


class WholeKit(TransfersKit):
    """Files that appear whole or not at all."""

    def test_discarded_file_was_never_there(
        self, repository: ArtifactRepository, transfers: ArtifactTransfers
    ) -> None:
        written(transfers, "kept", b"old")
        for path in ("kept", "new"):
            file = transfers.create(path)
            file.write(b"half of a file")
            file.discard()
        assert content(transfers, "kept") == b"old"
        assert [entry.path for entry in repository.list()] == ["kept"]
