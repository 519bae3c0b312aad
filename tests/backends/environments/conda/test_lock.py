"""Locks of conda environments: written from a prefix, read back, refused where they do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun_backends.environments.conda.lock import (
    LockedPackage,
    current_platform,
    lock_text,
    read_lock,
)

SHA = "a" * 64
MD5 = "b" * 32
URL = "https://host/c/noarch/x-1-0.conda"


def prefix_with(folder: Path, *records: dict[str, str]) -> Path:
    (folder / "conda-meta").mkdir(parents=True)
    (folder / "conda-meta/history").touch()
    for number, record in enumerate(records):
        (folder / f"conda-meta/{number}.json").write_text(json.dumps(record))
    return folder


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    records = (
        {"url": URL, "sha256": SHA, "md5": MD5},
        {"url": "https://host/c/linux-64/b-1-0.tar.bz2", "md5": MD5},
        {"url": "file:///c/noarch/a-1-0.conda"},
    )
    text = lock_text(prefix_with(tmp_path / "prefix", *records), "linux-64", ["sprocket==1.0", "-e ./gear"])
    (tmp_path / "conda.lock").write_text(text)
    lock = read_lock(tmp_path / "conda.lock", "linux-64")
    assert lock.packages == (
        LockedPackage("file:///c/noarch/a-1-0.conda"),
        LockedPackage("https://host/c/linux-64/b-1-0.tar.bz2", md5=MD5),
        LockedPackage(URL, sha256=SHA),
    )
    assert [line.text for line in lock.pip_lines] == ["sprocket==1.0", "-e ./gear"]
    assert lock.pip_lines[0].origin.endswith("conda.lock:7")
    assert "@EXPLICIT\n" in text


def test_no_credentials_are_written(tmp_path: Path) -> None:
    records = ({"url": "https://ann:hush@host/t/tk-hush/c/noarch/x-1-0.conda"},)
    text = lock_text(prefix_with(tmp_path, *records), "linux-64", [])
    assert "https://host/c/noarch/x-1-0.conda\n" in text
    assert "hush" not in text


def test_a_list_that_conda_wrote_is_a_lock(tmp_path: Path) -> None:
    text = f"# This file may be used to create an environment using:\n@EXPLICIT\n{URL}#{MD5}\n"
    (tmp_path / "spec.txt").write_text(text)
    lock = read_lock(tmp_path / "spec.txt", "osx-64")
    assert (lock.packages, lock.platform, lock.pip_lines) == ((LockedPackage(URL, md5=MD5),), "", ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("numpy==1.2\n", "spec.txt is not a lock of a conda environment"),
        ("@EXPLICIT\nnumpy=1.2\n", "spec.txt:2: 'numpy=1.2' is not the address of a conda package"),
        (f"@EXPLICIT\n\n{URL}#sha256:short\n", "spec.txt:3: "),
        ("# platform: osx-arm64\n@EXPLICIT\n", "spec.txt is a lock for osx-arm64; this is linux-64"),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "spec.txt").write_text(text)
    with pytest.raises(RequestError) as raised:
        read_lock(tmp_path / "spec.txt", "linux-64")
    assert problem in raised.value.message
    assert raised.value.hint


def test_the_word_for_this_platform_is_that_of_conda() -> None:
    rattler = pytest.importorskip("rattler")
    assert current_platform() == str(rattler.Subdir.current())
