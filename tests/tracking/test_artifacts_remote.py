"""Artifacts through fsspec, over its own file system in memory; and what is said when a library is missing."""

from __future__ import annotations

import builtins
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from projrun.errors import InvalidValueError, NotFoundError, OverdueError, TrackingError
from projrun.http.object_stores import EXTRAS
from projrun.tracking.artifacts import remote
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.remote import RemoteArtifacts
from projrun.tracking.runs import Deadline


@pytest.fixture
def bucket() -> Iterator[str]:
    """A folder of the memory file system."""
    name = f"/{uuid.uuid4().hex}"
    yield f"memory:/{name}"
    memory = fsspec.filesystem("memory")
    if memory.exists(name):
        memory.rm(name, recursive=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    return file


def test_upload_list_download(bucket: str, file: Path, tmp_path: Path) -> None:
    artifacts = RemoteArtifacts(f"{bucket}/0/run/artifacts", {})
    assert artifacts.list() == ()
    for path in ("b.txt", "a/deep/é x.txt", "a/one.txt"):
        artifacts.upload(file, path)
    assert [(entry.path, entry.is_dir, entry.size) for entry in artifacts.list()] == [
        ("a", True, None),
        ("b.txt", False, 7),
    ]
    assert [entry.path for entry in artifacts.list("a")] == ["a/deep", "a/one.txt"]
    assert artifacts.list("b.txt") == ()
    assert artifacts.download("b.txt", tmp_path / "one").read_bytes() == b"content"
    assert artifacts.download("", tmp_path / "all") == tmp_path / "all"
    found = {place.relative_to(tmp_path / "all").as_posix() for place in (tmp_path / "all").rglob("*.txt")}
    assert found == {"b.txt", "a/deep/é x.txt", "a/one.txt"}


def test_artifact_that_is_not_there(bucket: str, file: Path, tmp_path: Path) -> None:
    artifacts = RemoteArtifacts(bucket, {})
    artifacts.upload(file, "there")
    with pytest.raises(NotFoundError, match="artifact 'absent' not found"):
        artifacts.download("absent", tmp_path / "back")
    assert not (tmp_path / "back").exists()
    assert artifacts.list("absent") == ()


@pytest.mark.parametrize("path", ["../up", "/abs", "a/../../b"])
def test_path_that_climbs_out_is_refused(bucket: str, file: Path, tmp_path: Path, path: str) -> None:
    artifacts = RemoteArtifacts(bucket, {})
    with pytest.raises(InvalidValueError):
        artifacts.upload(file, path)
    with pytest.raises(InvalidValueError):
        artifacts.download(path, tmp_path / "back")


def test_file_that_cannot_be_read_is_an_error_of_the_system(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RemoteArtifacts(bucket, {}).upload(tmp_path / "absent", "a")


class Refusing(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A store that refuses everything, as one does without credentials."""

    protocol = "refusing"

    def ls(self, path: str, detail: bool = True, **options: object) -> list[object]:
        raise PermissionError("Forbidden: https://bucket/x?sig=s3cr3t&v=1 says no")

    def put_file(self, source: str, target: str, **options: object) -> None:
        raise PermissionError("Forbidden")


@pytest.fixture
def refusing() -> str:
    fsspec.register_implementation("refusing", Refusing, clobber=True)
    return "refusing://user:s3cr3t@bucket"


def test_store_that_refuses_is_told_in_one_line(refusing: str, file: Path) -> None:
    artifacts = RemoteArtifacts(refusing, {})
    with pytest.raises(TrackingError) as caught:
        artifacts.list("a")
    assert caught.value.message == "refusing://bucket does not list a: PermissionError"
    assert caught.value.detail == "Forbidden: https://bucket/x?*** says no"
    with pytest.raises(TrackingError, match="refusing://bucket does not take a/b: PermissionError"):
        artifacts.upload(file, "a/b")


class Hanging(Refusing):
    """A store that does not answer."""

    protocol = "hanging"
    over = threading.Event()

    def put_file(self, source: str, target: str, **options: object) -> None:
        self.over.wait(60)


def test_store_that_does_not_answer_is_left_in_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.register_implementation("hanging", Hanging, clobber=True)
    deadline = Deadline()
    artifacts = RemoteArtifacts("hanging://bucket", {}, deadline)
    with monkeypatch.context() as patch:
        patch.setattr(remote, "_TIMEOUT", 0.1)
        with pytest.raises(TrackingError, match=r"does not take a: no answer within 0\.1 s"):
            artifacts.upload(file, "a")
    deadline.begin(0.1)
    with pytest.raises(OverdueError):
        artifacts.upload(file, "a")
    Hanging.over.set()


@pytest.mark.parametrize("uri", ["simplecache::memory://x", "s3://bucket::file:///etc"])
def test_chained_file_systems_are_refused(uri: str) -> None:
    with pytest.raises(TrackingError, match="is not an artifact storage"):
        RemoteArtifacts(uri, {})


@pytest.mark.parametrize(
    ("uri", "library", "extra"),
    [
        ("s3://bucket/key", "s3fs", "s3"),
        ("gs://bucket/key", "gcsfs", "gcs"),
        ("abfss://container@account.dfs.core.windows.net/key", "adlfs", "azure"),
        ("s3://bucket/key", "fsspec", "s3"),
    ],
)
def test_missing_library_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, uri: str, library: str, extra: str
) -> None:
    missing(monkeypatch, library)
    with pytest.raises(TrackingError) as caught:
        open_repository(uri)
    assert "library that is not installed" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint == f"pip install 'projrun[{extra}]'"


def missing(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    """Make a library look uninstalled, whether it is or not."""
    real_import = builtins.__import__

    def refuse(name: str, *arguments: object) -> object:
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import(name, *arguments)  # type: ignore[arg-type]

    for module in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, module)
    # fsspec remembers what it found.
    if registry := sys.modules.get("fsspec.registry"):
        for protocol in EXTRAS:
            monkeypatch.delitem(registry._registry, protocol, raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setitem(sys.modules, library, None)
