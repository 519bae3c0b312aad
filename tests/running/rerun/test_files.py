"""The files of a recorded run, from a real store; a lock is code and is checked as such."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.errors import SourceError, TrackingError
from projrun.running.rerun import files as module
from projrun.running.rerun.files import RecordedFiles, check_lock, recorded_files
from projrun.settings import Setting
from projrun.sources.policy import TrustPolicy
from projrun.tracking.entities import Run
from projrun.tracking.sql.store import SqlStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(tmp_path / "projrun.db", warn=print)
    yield opened
    opened.close()


def run_with(store: SqlStore, folder: Path, **files: str) -> Run:
    run = store.create_run("0", start_time=1)
    for path, text in files.items():
        (folder / "upload").write_text(text)
        store.artifacts(run.artifact_uri).upload(folder / "upload", path)
    return run


def test_a_lock_and_a_patch_are_downloaded(store: SqlStore, tmp_path: Path) -> None:
    run = run_with(store, tmp_path, **{"environment/conda.lock.txt": "lock", "source/dirty.patch": "patch"})
    found = recorded_files(run.artifact_uri, store, tmp_path / "private")
    assert found.lock is not None
    assert found.patch is not None
    assert (found.lock.name, found.lock.read_text()) == ("conda.lock.txt", "lock")
    assert found.patch.read_text() == "patch"
    without = recorded_files(run.artifact_uri, store, tmp_path / "other", lock=False, patch=False)
    assert without == RecordedFiles()


def test_artifacts_that_are_not_wanted_are_not_asked_for(store: SqlStore, tmp_path: Path) -> None:
    nowhere = "gopher://nowhere/x"
    with pytest.raises(TrackingError):
        recorded_files(nowhere, store, tmp_path, patch=False)
    assert recorded_files(nowhere, store, tmp_path, lock=False, patch=False) == RecordedFiles()


def test_a_run_without_them(store: SqlStore, tmp_path: Path) -> None:
    run = run_with(store, tmp_path, **{"environment/build.log": "x"})
    assert recorded_files(run.artifact_uri, store, tmp_path) == RecordedFiles()


def test_what_no_run_records_is_not_downloaded(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST", 3)
    run = run_with(store, tmp_path, **{"source/dirty.patch": "patch"})
    with pytest.raises(TrackingError, match="5 bytes"):
        recorded_files(run.artifact_uri, store, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example/simple",
        "evil @ https://evil.example/evil.whl",
        "evil @ git+ssh://git@evil.example/evil@0123",
        "https://evil.example/linux-64/x-1-0.conda",
    ],
)
def test_a_lock_takes_packages_only_from_hosts_that_are_allowed(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "x.lock"
    lock.write_text(f"# python 3.11.7\nsix==1\nlocal @ file:///wheels/x.whl\n{line}\n")
    check_lock(lock, TrustPolicy())
    check_lock(
        lock, TrustPolicy(hosts=[Setting("*.example", "config.toml")], protocols=[Setting("file", "x")])
    )
    with pytest.raises(SourceError, match="allowed-hosts") as raised:
        check_lock(lock, TrustPolicy(hosts=[Setting("github.com", "config.toml")]))
    assert "--unlocked" in raised.value.hint
