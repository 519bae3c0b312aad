from __future__ import annotations

import io

import pytest

from projrun.sources.archives.contents import contents_of
from projrun.sources.archives.errors import UnpackError
from tests.sources.archives.making import archive


@pytest.mark.parametrize(
    ("made", "name", "contents"),
    [
        (".zip", "x.zip", "zip"),
        (".zip", "X.ZIP", "zip"),
        (".tar", "x.tar", ""),
        (".tar.gz", "x.tgz", "gzip"),
        (".tar.bz2", "x.tar.bz2", "bzip2"),
        (".tar.xz", "x.tar.xz", "xz"),
        (".tar.gz", "x.tar", "gzip"),
        (".tar", "x.tar.gz", ""),
    ],
)
def test_contents(made: str, name: str, contents: str) -> None:
    file = io.BytesIO(archive(made, ["a"]))
    file.seek(7)
    assert contents_of(file, name) == contents
    assert file.tell() == 0


def test_zip_without_members() -> None:
    assert contents_of(io.BytesIO(archive(".zip", [])), "x.zip") == "zip"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "x.zip", "is not a zip archive, as its name says: it is empty"),
        (b"", "x.tar", "is not a tar archive, as its name says: it is empty"),
        (archive(".tar", ["a"]), "x.zip", "is not a zip archive, as its name says"),
        (archive(".zip", ["a"]), "x.tar.gz", "is not a tar archive, as its name says: it is a zip archive"),
        (b"\n<!DOCTYPE html><p>Sign in", "x.tar.gz", "is not a tar archive, .*: it is a web page"),
        (b"<html>", "x.zip", "is not a zip archive, .*: it is a web page"),
        (b"Rar!\x1a", "x.zip", "it is a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "x.tar", "it is a 7z archive"),
        (b"version https://git-lfs.github.com/spec/v1", "x.zip", "it is a pointer of Git LFS"),
    ],
)
def test_other_contents(content: bytes, name: str, words: str) -> None:
    with pytest.raises(UnpackError, match=words) as caught:
        contents_of(io.BytesIO(content), name)
    assert caught.value.hint
