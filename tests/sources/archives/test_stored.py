"""Archives in object stores, through fsspec: over its own file system in memory, under the name of S3."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from projrun.errors import SourceError
from projrun.sources.archives.known import Known
from projrun.sources.archives.remote import Sink
from projrun.sources.archives.stored import StoredArchive
from tests.tracking.test_artifacts_remote import missing

CONTENT = b"an archive" * 300_000


@pytest.fixture
def bucket() -> Iterator[str]:
    """A folder of the memory file system."""
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/x.zip", CONTENT)
    yield "memory://bucket"
    memory.rm("/bucket", recursive=True)


def obtain(uri: str, known: Known | None = None, most: int = 10_000_000) -> tuple[bytes, Known]:
    file = io.BytesIO()
    stored = StoredArchive(uri, {})
    obtained = stored.obtain(Sink(file, most, stored.shown), known)
    return file.getvalue(), obtained


def test_download_and_change(bucket: str) -> None:
    content, first = obtain(f"{bucket}/x.zip")
    assert content == CONTENT
    assert first.digest == hashlib.sha256(CONTENT).hexdigest()
    content, again = obtain(f"{bucket}/x.zip", first)
    assert again is first
    assert content == b""
    fsspec.filesystem("memory").pipe("/bucket/x.zip", b"other")
    content, changed = obtain(f"{bucket}/x.zip", first)
    assert content == b"other"
    assert changed.digest == hashlib.sha256(b"other").hexdigest()


def test_object_that_is_not_there(bucket: str) -> None:
    with pytest.raises(SourceError, match=r"^there is no memory://bucket/absent.zip"):
        obtain(f"{bucket}/absent.zip")


def test_object_that_is_too_long(bucket: str) -> None:
    with pytest.raises(
        SourceError, match=r"^memory://bucket/x.zip is refused: it is longer than 1,000 bytes"
    ):
        obtain(f"{bucket}/x.zip", most=1000)


class Refusing(MemoryFileSystem):  # type: ignore[misc]
    """A store that refuses everything, as one does without credentials."""

    protocol = "refusing"

    def info(self, path: str, **options: object) -> dict[str, object]:
        raise PermissionError("Forbidden: https://bucket/x?sig=s3cr3t&v=1 says no")


def test_store_that_refuses() -> None:
    fsspec.register_implementation("refusing", Refusing, clobber=True)
    with pytest.raises(SourceError) as caught:
        obtain("refusing://me:s3cr3t@bucket/x.zip")
    assert caught.value.message == "refusing://bucket/x.zip cannot be downloaded: PermissionError"
    assert caught.value.detail == "Forbidden: https://bucket/x?*** says no"


def test_chained_file_systems_are_refused() -> None:
    with pytest.raises(SourceError, match="cannot be downloaded"):
        obtain("s3://bucket::file:///etc/passwd.zip")


def test_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "s3fs")
    with pytest.raises(
        SourceError, match=r"s3://bucket/x.zip cannot be downloaded: .*not installed"
    ) as caught:
        obtain("s3://bucket/x.zip")
    assert caught.value.hint == "pip install 'projrun[s3]'"
