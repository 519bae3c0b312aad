"""Artifacts in a local folder: what the conformance kit does not reach — symlinks, interrupted writes, paths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projrun.errors import InvalidValueError, NotFoundError
from projrun.testing.artifacts import ArtifactConformance
from projrun.tracking.artifacts.files import write_whole
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.paths import checked_path, contained, partial_name
from projrun.tracking.artifacts.repository import ArtifactRepository


class TestKit(ArtifactConformance):
    """A folder keeps the contract by itself, not only as the files of a run."""

    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> ArtifactRepository:
        return LocalArtifacts(tmp_path / "not made yet")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "file").write_text("inside")
    return root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    return outside


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# --- symlinks ---


def test_folder_link_that_leads_out_is_neither_read_nor_written(
    root: Path, outside: Path, tmp_path: Path
) -> None:
    (root / "link").symlink_to(outside)
    artifacts = LocalArtifacts(root)
    with pytest.raises(InvalidValueError, match="leads out of"):
        artifacts.upload(root / "sub" / "file", "link/new")
    with pytest.raises(InvalidValueError, match="leads out of"):
        artifacts.list("link")
    with pytest.raises(InvalidValueError, match="leads out of"):
        artifacts.download("link/secret", tmp_path / "back")
    assert [file.name for file in outside.iterdir()] == ["secret"]


def test_links_that_lead_out_are_neither_shown_nor_copied(root: Path, outside: Path, tmp_path: Path) -> None:
    (root / "sub" / "link").symlink_to(outside / "secret")
    (root / "sub" / "folder").symlink_to(outside)
    (root / "sub" / "dangling").symlink_to(root / "nowhere")
    artifacts = LocalArtifacts(root)
    assert [entry.path for entry in artifacts.list("sub")] == ["sub/file"]
    artifacts.download("sub", tmp_path / "back")
    assert names(tmp_path / "back" / "sub") == ["file"]


def test_links_that_go_round_in_circles_end(root: Path, tmp_path: Path) -> None:
    (root / "sub" / "up").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    LocalArtifacts(root).download("", tmp_path / "back")
    assert names(tmp_path / "back") == ["sub"]
    assert names(tmp_path / "back" / "sub") == ["file"]


def test_link_to_a_file_inside_is_its_content(root: Path, tmp_path: Path) -> None:
    (root / "latest").symlink_to(root / "sub" / "file")
    artifacts = LocalArtifacts(root)
    assert [(entry.path, entry.size) for entry in artifacts.list()] == [("latest", 6), ("sub", None)]
    assert artifacts.download("latest", tmp_path / "back").read_text() == "inside"


def test_root_may_itself_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    artifacts = LocalArtifacts(tmp_path / "alias")
    artifacts.upload(root / "sub" / "file", "new")
    assert (root / "new").read_text() == "inside"


def test_upload_replaces_a_link_and_not_what_it_names(root: Path, outside: Path) -> None:
    (root / "link").symlink_to(root / "sub" / "file")
    other = outside / "secret"
    LocalArtifacts(root).upload(other, "link")
    assert (root / "sub" / "file").read_text() == "inside"
    assert (root / "link").read_text() == "secret"
    assert not (root / "link").is_symlink()


# --- writing ---


def test_write_that_is_interrupted_leaves_what_was_there(root: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(chunks(), root / "sub" / "file")
    assert names(root / "sub") == ["file"]
    assert (root / "sub" / "file").read_text() == "inside"


def test_files_that_are_being_written_are_not_listed(root: Path) -> None:
    (root / partial_name()).write_text("half")
    (root / ".projrun-partial-x").write_text("a script's own")
    assert [entry.path for entry in LocalArtifacts(root).list()] == [".projrun-partial-x", "sub"]


@pytest.mark.parametrize(
    "path", [".projrun-partial-x", "a/.projrun-partial-0123456789abcdef", ".projrun-partial-/b"]
)
def test_names_of_files_that_are_being_written_are_refused(root: Path, path: str) -> None:
    with pytest.raises(InvalidValueError, match="is reserved for files that are being written"):
        LocalArtifacts(root).upload(root / "sub" / "file", path)


def test_upload_over_a_folder_is_refused(root: Path) -> None:
    with pytest.raises(InvalidValueError, match="is a folder already"):
        LocalArtifacts(root).upload(root / "sub" / "file", "sub")


def test_upload_of_no_name_is_refused(root: Path) -> None:
    with pytest.raises(InvalidValueError, match="does not name an artifact file"):
        LocalArtifacts(root).upload(root / "sub" / "file", "./")


def test_root_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    artifacts = LocalArtifacts(tmp_path / "absent")
    assert artifacts.list() == ()
    with pytest.raises(NotFoundError):
        artifacts.download("", tmp_path / "back")
    assert not (tmp_path / "absent").exists()


def test_pipe_is_no_artifact(root: Path, tmp_path: Path) -> None:
    os.mkfifo(root / "fifo")
    artifacts = LocalArtifacts(root)
    artifacts.download("", tmp_path / "back")
    assert names(tmp_path / "back") == ["sub"]
    with pytest.raises(NotFoundError):
        artifacts.download("fifo", tmp_path / "back")


# --- paths ---


@pytest.mark.parametrize(
    ("path", "checked"),
    [("", ""), (".", ""), ("a", "a"), ("a//b/./c/", "a/b/c"), ("..a/b..", "..a/b.."), ("é ü#%", "é ü#%")],
)
def test_paths_are_made_plain(path: str, checked: str) -> None:
    assert checked_path(path) == checked


@settings(deadline=None)
@given(st.text(alphabet="ab./\\:\0", max_size=12))
def test_no_path_leads_out(path: str) -> None:
    root = Path("/srv/artifacts")
    try:
        place = contained(root, path)
    except InvalidValueError:
        return
    assert os.path.normpath(place) == str(place)
    assert place == root or root in place.parents
