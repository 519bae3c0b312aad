"""Artifacts in pieces, in a folder, in fsspec's memory, and by way of a copy."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import fsspec
import pytest

from projrun.errors import InvalidValueError, NotFoundError, TrackingError
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.media import disposition_of, media_type_of
from projrun.tracking.artifacts.remote import RemoteArtifacts
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.signatures import signatures_of
from projrun.tracking.artifacts.transfers import ArtifactTransfers, transfers_of
from projrun.tracking.entities import FileInfo
from tests.tracking.transfers_kit import TransfersKit, WholeKit, content, written


class TestLocal(WholeKit):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> ArtifactRepository:
        return LocalArtifacts(tmp_path / "root")

    def test_links_that_lead_out(self, transfers: ArtifactTransfers, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "folder").symlink_to(tmp_path)
        (tmp_path / "root" / "file").symlink_to(tmp_path / "secret")
        for path in ("folder/secret", "file"):
            with pytest.raises(InvalidValueError):
                transfers.open(path)
            with pytest.raises(InvalidValueError):
                transfers.create(path)
        with pytest.raises(InvalidValueError):
            transfers.delete("folder/secret")
        transfers.delete("folder")
        transfers.delete("file")
        assert list((tmp_path / "root").iterdir()) == []
        assert (tmp_path / "secret").read_text() == "secret"

    def test_file_stays_as_it_was_opened(self, transfers: ArtifactTransfers) -> None:
        written(transfers, "file", b"old one")
        file = transfers.open("file")
        written(transfers, "file", b"new")
        assert file.read(0, 10) == b"old one"
        file.close()
        assert content(transfers, "file") == b"new"

    def test_pipe_is_no_artifact(self, transfers: ArtifactTransfers, tmp_path: Path) -> None:
        (tmp_path / "root").mkdir()
        os.mkfifo(tmp_path / "root" / "pipe")
        with pytest.raises(NotFoundError):
            transfers.open("pipe")

    def test_place_that_became_a_folder(self, transfers: ArtifactTransfers, tmp_path: Path) -> None:
        file = transfers.create("file")
        file.write(b"x")
        (tmp_path / "root" / "file").mkdir()
        with pytest.raises(OSError, match="directory"):
            file.finish()
        assert [entry.name for entry in (tmp_path / "root").iterdir()] == ["file"]


class OnlyWhole:
    """A repository as a plug-in's may be."""

    folder: Path | None = None

    def __init__(self, root: Path) -> None:
        inner = LocalArtifacts(root)
        self.upload, self.download = inner.upload, inner.download
        self._inner = inner

    def list(self, path: str = "") -> tuple[FileInfo, ...]:
        return self._inner.list(path)


class TestCopied(WholeKit):
    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ArtifactRepository:
        (tmp_path / "copies").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "copies"))
        return OnlyWhole(tmp_path / "root")

    def test_copies_are_removed(self, transfers: ArtifactTransfers, tmp_path: Path) -> None:
        written(transfers, "file", b"x")
        assert content(transfers, "file") == b"x"
        with pytest.raises(NotFoundError):
            transfers.open("none")
        transfers.create("other").discard()
        assert list((tmp_path / "copies").iterdir()) == []

    def test_deletion(
        self, repository: ArtifactRepository, transfers: ArtifactTransfers, tmp_path: Path
    ) -> None:
        written(transfers, "file", b"x")
        with pytest.raises(TrackingError, match="deletes nothing"):
            transfers.delete("file")


class TestMemory(TransfersKit):
    """fsspec's memory shows a file while it is written, as no object store does."""

    @pytest.fixture
    def repository(self) -> ArtifactRepository:
        return RemoteArtifacts(f"memory://{uuid.uuid4().hex}", {})

    def test_it_signs_nothing(self, repository: ArtifactRepository) -> None:
        assert signatures_of(repository) is None


def test_repository_that_streams_itself_is_asked() -> None:
    class Streaming(OnlyWhole):
        def open(self, path: str) -> object: ...
        def create(self, path: str, size: int | None = None) -> object: ...
        def delete(self, path: str) -> None: ...

    repository: ArtifactRepository = Streaming(Path("/nowhere"))
    assert id(transfers_of(repository)) == id(repository)


def test_store_that_fails_is_told_in_one_line() -> None:
    class Refusing(fsspec.AbstractFileSystem):  # type: ignore[misc]
        protocol = "refusing-pieces"

        def info(self, path: str, **options: object) -> object:
            raise PermissionError("Forbidden")

    fsspec.register_implementation("refusing-pieces", Refusing, clobber=True)
    transfers = transfers_of(RemoteArtifacts("refusing-pieces://bucket", {}))
    with pytest.raises(TrackingError, match="refusing-pieces://bucket does not give a: PermissionError"):
        transfers.open("a")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model/MLmodel", "text/plain"),
        ("a.json", "text/plain"),
        ("a.py", "text/plain"),
        ("plot.png", "image/png"),
        ("page.html", "text/html"),
        ("drawing.svg", "image/svg+xml"),
        ("a.js", "text/plain"),
        ("a.mjs", "text/plain"),
        ("weights", "application/octet-stream"),
        ("weights.unknown", "application/octet-stream"),
        ("MLmodel/weights.pkl.unknown", "application/octet-stream"),
    ],
)
def test_media_types(name: str, kind: str) -> None:
    """As MLflow 3.17's `_guess_mime_type`, but for scripts, which no page of the server's origin may load."""
    assert media_type_of(name) == kind


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("ä b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%A4%20b.txt"),
        ("日本", "attachment; filename=\"download\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC"),
        ('a"b', "attachment; filename=\"ab\"; filename*=UTF-8''a%22b"),
    ],
)
def test_dispositions(name: str, header: str) -> None:
    assert disposition_of(name) == header
