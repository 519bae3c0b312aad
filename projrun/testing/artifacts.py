"""The conformance kit of artifact repositories: subclass it, provide an empty repository, and pytest does the rest.

class TestMyArtifacts(ArtifactConformance):
    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> ArtifactRepository: ...
"""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.artifacts.repository import ArtifactRepository


class ArtifactConformance:
    """The files of a run."""

    @pytest.fixture
    def artifacts(self) -> ArtifactRepository:
        """The repository under test, empty; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `artifacts`")

    def test_file_comes_back_as_it_was(self, artifacts: ArtifactRepository, tmp_path: Path) -> None:
        file = tmp_path / "in.bin"
        file.write_bytes(bytes(range(256)) * 12_000)
        artifacts.upload(file, "deep/er/out file é.bin")
        place = artifacts.download("deep/er/out file é.bin", tmp_path / "back")
        assert place == tmp_path / "back" / "deep" / "er" / "out file é.bin"
        assert place.read_bytes() == file.read_bytes()

    def test_listing(self, artifacts: ArtifactRepository, tmp_path: Path) -> None:
        assert artifacts.list() == ()
        for path in ("b.txt", "a/two.txt", "a/one.txt", "a/deep/three.txt"):
            artifacts.upload(_file(tmp_path, path), path)
        assert [(entry.path, entry.is_dir) for entry in artifacts.list()] == [("a", True), ("b.txt", False)]
        inside = [(entry.path, entry.is_dir, entry.size) for entry in artifacts.list("a")]
        assert inside == [("a/deep", True, None), ("a/one.txt", False, 9), ("a/two.txt", False, 9)]
        assert artifacts.list("absent") == ()
        assert artifacts.list("b.txt") == ()

    def test_folder_is_downloaded_whole(self, artifacts: ArtifactRepository, tmp_path: Path) -> None:
        paths = ["model/data/weights", "model/MLmodel", "log.txt"]
        for path in paths:
            artifacts.upload(_file(tmp_path, path), path)
        assert artifacts.download("model", tmp_path / "one") == tmp_path / "one" / "model"
        assert _tree(tmp_path / "one") == ["model/MLmodel", "model/data/weights"]
        assert artifacts.download("", tmp_path / "all") == tmp_path / "all"
        assert _tree(tmp_path / "all") == sorted(paths)
        assert (tmp_path / "all" / "log.txt").read_text() == "log.txt\n".rjust(9)

    def test_artifact_is_replaced(self, artifacts: ArtifactRepository, tmp_path: Path) -> None:
        file = tmp_path / "file"
        for content in (b"first, and longer", b"second", b""):
            file.write_bytes(content)
            artifacts.upload(file, "file")
            assert artifacts.download("file", tmp_path / "back").read_bytes() == content
        assert [entry.path for entry in artifacts.list()] == ["file"]

    def test_missing_artifact_is_not_found(self, artifacts: ArtifactRepository, tmp_path: Path) -> None:
        artifacts.upload(_file(tmp_path, "there"), "there")
        with pytest.raises(NotFoundError):
            artifacts.download("absent/file", tmp_path / "back")
        assert not (tmp_path / "back").exists()

    @pytest.mark.parametrize(
        "path", ["../out", "a/../../out", "/etc/out", "..", "a\\..\\out", "C:/out", "a\0b"]
    )
    def test_path_that_climbs_out_is_refused(
        self, artifacts: ArtifactRepository, tmp_path: Path, path: str
    ) -> None:
        file = _file(tmp_path, "file")
        with pytest.raises(InvalidValueError):
            artifacts.upload(file, path)
        with pytest.raises(InvalidValueError):
            artifacts.list(path)
        with pytest.raises(InvalidValueError):
            artifacts.download(path, tmp_path / "back")

    def test_file_that_is_not_there_is_an_error_of_the_system(
        self, artifacts: ArtifactRepository, tmp_path: Path
    ) -> None:
        with pytest.raises(FileNotFoundError):
            artifacts.upload(tmp_path / "absent", "file")
        assert artifacts.list() == ()


def _file(folder: Path, path: str) -> Path:
    """A file of 9 bytes or more, that ends with its path."""
    file = folder / f"source-{uuid.uuid4().hex}"
    file.write_bytes(f"{path[-8:]}\n".rjust(9).encode())
    return file


def _tree(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
