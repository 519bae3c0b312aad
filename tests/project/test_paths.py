from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.http.object_stores import EXTRAS
from projrun.project.paths import (
    DOWNLOADABLE,
    download_place,
    existing_path,
    foreign_scheme,
    is_download,
)


def test_the_schemes_are_those_of_the_downloader() -> None:
    assert {"http", "https", "runs", "models", "mlflow-artifacts", *EXTRAS} == DOWNLOADABLE


@pytest.mark.parametrize("text", ["a", "./a", "folder/../a", "folder//../a"])
def test_existing_paths_become_absolute(tmp_path: Path, text: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").touch()
    assert existing_path(text, tmp_path) == str(tmp_path / "a")


def test_dots_after_a_link_mean_what_the_system_means(tmp_path: Path) -> None:
    (tmp_path / "far" / "folder").mkdir(parents=True)
    (tmp_path / "far" / "data").touch()
    (tmp_path / "link").symlink_to("far/folder")
    assert existing_path("link/../data", tmp_path) == str(tmp_path / "far" / "data")


def test_a_relative_base_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    monkeypatch.chdir(tmp_path)
    assert existing_path("a", Path()) == str(tmp_path / "a")


def test_a_file_with_a_colon_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "data:1").touch()
    assert not is_download("data:1")
    assert existing_path("data:1", tmp_path) == str(tmp_path / "data:1")


@pytest.mark.parametrize("text", ["", "gone", "a\0b", "x" * 5000, "a/b"])
def test_missing_paths(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").touch()
    assert existing_path(text, tmp_path) is None


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://host/a/data.csv?token=x#y", "data.csv"),
        ("https://host/a%20b.csv", "a b.csv"),
        ("https://host/a%2Fb%00.csv", "b_.csv"),
        ("https://host/%2e%2e", "download"),
        ("https://host", "download"),
        ("https://host/", "download"),
        ("s3://bucket/key/part?1", "part?1"),
        ("s3://bucket/folder/", "folder"),
        ("s3://bucket", "download"),
        ("runs:/1234/model", "model"),
        ("models:/name/3", "3"),
        ("mlflow-artifacts:/0/1/artifacts/x.txt", "x.txt"),
        ("s3://bucket/..", "download"),
        ("s3://bucket/a\\..\\b", "a_.._b"),
        ("s3://bucket/" + "x" * 500, "x" * 200),
    ],
)
def test_downloads_get_their_own_last_name(tmp_path: Path, uri: str, name: str) -> None:
    assert is_download(uri)
    place = download_place(uri, "data", tmp_path)
    assert place.name == name
    assert place.parent.parent == tmp_path
    assert place.parent.name.startswith("data-")
    assert not place.parent.exists()


def test_each_download_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert download_place("s3://b/k", "data", tmp_path) != download_place("s3://b/k", "data", tmp_path)


@given(st.text(), st.text())
def test_no_uri_and_no_name_leaves_the_storage_folder(name: str, rest: str) -> None:
    storage = Path("/storage")
    for scheme in ("https://h/", "s3://b/", "runs:/"):
        place = download_place(scheme + rest, name, storage)
        assert Path(os.path.normpath(place)) == place
        assert place.parent.parent == storage
        assert "\0" not in str(place)


@pytest.mark.parametrize(
    "uri", ["file://{top}/a%20b", "file:{top}/a b", "FILE://localhost{top}/a%20b", "file://{top}/x/../a b"]
)
def test_a_file_uri_is_the_path_that_it_names(tmp_path: Path, uri: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "a b").touch()
    text = uri.format(top=tmp_path)
    assert existing_path(text, Path("/elsewhere")) == str(tmp_path / "a b")
    assert not is_download(text)


@pytest.mark.parametrize(
    "uri", ["file://{top}/gone", "file:a", "file://a", "file://other.host{top}/a", "file:", "file://"]
)
def test_file_uris_that_name_nothing_here(tmp_path: Path, uri: str) -> None:
    (tmp_path / "a").touch()
    assert existing_path(uri.format(top=tmp_path), tmp_path) is None


@pytest.mark.parametrize(
    ("text", "scheme"),
    [("ftp://h/x", "ftp"), ("dbfs:/x", "dbfs"), ("file:///x", ""), ("a:b", ""), ("x", "")],
)
def test_foreign_schemes(text: str, scheme: str) -> None:
    assert foreign_scheme(text) == scheme
