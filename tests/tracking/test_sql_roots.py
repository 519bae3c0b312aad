"""Where a served store keeps artifacts: its own folder, another one, an object store; and where clients keep them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from projrun.errors import InvalidValueError, RequestError
from projrun.http import object_stores
from projrun.tracking.artifacts.remote import RemoteArtifacts
from projrun.tracking.artifacts.transfers import delete_artifacts, transfers_of
from projrun.tracking.sql.roots import (
    ArtifactRoots,
    checked_roots,
    place_artifacts,
    settle_default_experiment,
)
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store
from tests.tracking.transfers_kit import written


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


def test_another_folder(store: SqlStore, tmp_path: Path) -> None:
    place_artifacts(store, checked_roots(ArtifactRoots(destination=f"file://{tmp_path}/there")))
    run = store.create_run("0", start_time=1)
    assert run.artifact_uri == f"mlflow-artifacts:/0/{run.run_id}/artifacts"
    written(transfers_of(store.artifacts(run.artifact_uri)), "a.txt", b"a")
    assert (tmp_path / "there/0" / run.run_id / "artifacts/a.txt").read_bytes() == b"a"
    delete_artifacts(store.artifacts(run.artifact_uri))
    assert list((tmp_path / "there/0" / run.run_id).iterdir()) == []


def test_object_store(store: SqlStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(object_stores.EXTRAS, "memory", "s3")
    root = f"memory://{uuid.uuid4().hex}"
    place_artifacts(store, ArtifactRoots(destination=root))
    run = store.create_run("0", start_time=1)
    monkeypatch.setattr(
        "projrun.tracking.sql.store.open_repository", lambda uri, **_: RemoteArtifacts(uri, {})
    )
    written(transfers_of(store.artifacts(run.artifact_uri)), "a.txt", b"a")
    assert [entry.path for entry in RemoteArtifacts(root, {}).list(f"0/{run.run_id}")] == [
        f"0/{run.run_id}/artifacts"
    ]
    assert [entry.path for entry in store.artifacts("mlflow-artifacts:/").list()] == ["0"]
    with pytest.raises(InvalidValueError, match="not in a folder"):
        store.artifact_directory(run.artifact_uri)
    assert not (tmp_path / "artifacts" / "0").exists()


@pytest.mark.parametrize("uri", ["mlflow-artifacts://host/0", "mlflow-artifacts:/../0"])
def test_uri_that_is_not_served_here(store: SqlStore, uri: str) -> None:
    for destination in ("", "memory://x"):
        place_artifacts(store, ArtifactRoots(destination=destination))
        with pytest.raises(InvalidValueError):
            store.artifacts(uri)


def test_places_of_new_experiments(store: SqlStore) -> None:
    place_artifacts(store, ArtifactRoots(default="s3://bucket/runs"))
    settle_default_experiment(store)
    assert store.get_experiment("0").artifact_location == "s3://bucket/runs/0"
    created = store.create_experiment("new")
    assert store.get_experiment(created).artifact_location == f"s3://bucket/runs/{created}"
    run = store.create_run(created, start_time=1)
    assert run.artifact_uri == f"s3://bucket/runs/{created}/{run.run_id}/artifacts"
    assert store.create_experiment("own", "s3://other/place") == "2"
    assert store.get_experiment("2").artifact_location == "s3://other/place"


def test_experiment_with_runs_stays_where_it_is(store: SqlStore) -> None:
    store.create_run("0", start_time=1)
    place_artifacts(store, ArtifactRoots(default="s3://bucket/runs"))
    settle_default_experiment(store)
    assert store.get_experiment("0").artifact_location == "mlflow-artifacts:/0"


def test_roots_are_checked() -> None:
    assert checked_roots(ArtifactRoots()) == ArtifactRoots()
    found = checked_roots(ArtifactRoots("relative", "mlflow-artifacts:/"))
    assert found == ArtifactRoots(str(Path.cwd() / "relative"), "mlflow-artifacts:")
    assert checked_roots(ArtifactRoots("s3://bucket/x/")).destination == "s3://bucket/x"
    for roots in (
        ArtifactRoots("ftp://host/x"),
        ArtifactRoots("mlflow-artifacts:/"),
        ArtifactRoots("", "ftp://host/y"),
    ):
        with pytest.raises(RequestError, match="artifacts cannot be kept at"):
            checked_roots(roots)


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="the extra is installed")
def test_destination_whose_library_is_missing_is_refused_before_anything_is_sent_there() -> None:
    with pytest.raises(RequestError, match="library is not installed") as raised:
        checked_roots(ArtifactRoots("gs://bucket/x"))
    assert "projrun[gcs]" in raised.value.hint
    assert checked_roots(ArtifactRoots("", "gs://bucket/x")).default == "gs://bucket/x"
