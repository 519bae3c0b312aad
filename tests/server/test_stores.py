"""Other stores than our own, served: a RestStore (a proxy), and one that only records runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import NotFoundError
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.rest.store import RestStore
from projrun.tracking.sql.store import SqlStore
from tests.server.client import FILES, Client


@pytest.fixture
def proxy(endpoint: Endpoint) -> Iterator[Endpoint]:
    """An endpoint that serves what another serves."""
    with Endpoint.open(lambda: RestStore(endpoint.uri, {})) as proxy:
        yield proxy


def test_runs_of_an_upstream(proxy: Endpoint, database: Path) -> None:
    with closing(RestStore(proxy.uri, {})) as store:
        experiment = store.create_experiment("through a proxy")
        run = store.create_run(experiment, run_name="far", start_time=5)
        store.log_batch(
            run.run_id, metrics=[Metric("loss", 0.5, 1, 2)], params=[Param("a", "1")], tags=[Tag("t", "2")]
        )
        found = store.search_runs([experiment]).runs
    with closing(SqlStore.open(database)) as upstream:
        kept = upstream.get_run(run.run_id)
    assert (kept.run_name, kept.params, kept.tag("t")) == ("far", (Param("a", "1"),), "2")
    assert [(each.run_id, each.params) for each in found] == [(run.run_id, kept.params)]


def test_artifacts_of_an_upstream(proxy: Endpoint, database: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 1000)
    with closing(RestStore(proxy.uri, {})) as store:
        run = store.create_run("0", start_time=5)
        artifacts = store.artifacts(run.artifact_uri)
        artifacts.upload(file, "deep/file")
        assert [entry.path for entry in artifacts.list("deep")] == ["deep/file"]
        assert artifacts.download("deep/file", tmp_path / "back").read_bytes() == file.read_bytes()
        with pytest.raises(NotFoundError):
            artifacts.download("absent", tmp_path / "back")
    kept = database.parent / "artifacts" / "0" / run.run_id / "artifacts" / "deep" / "file"
    assert kept.read_bytes() == file.read_bytes()


def test_part_of_an_artifact_of_an_upstream(proxy: Endpoint) -> None:
    with closing(Client(proxy)) as client:
        assert client.send("PUT", f"{FILES}/a/file", b"0123456789").status == 200
        client.connection.request("GET", f"{client.prefix}{FILES}/a/file", headers={"Range": "bytes=2-4"})
        response = client.connection.getresponse()
        assert (response.status, response.read()) == (206, b"234")


class OnlyRuns:
    """What a store gives that keeps no models: the `RunStore` in it, and nothing more."""

    _KEPT = ("create_run", "get_run", "artifacts", "close")

    def __init__(self, store: SqlStore) -> None:
        self.uri = store.uri
        for name in self._KEPT:
            setattr(self, name, getattr(store, name))


def test_store_without_models_says_so(database: Path) -> None:
    def opened() -> OnlyRuns:
        return OnlyRuns(SqlStore.open(database))

    with Endpoint.open(opened) as endpoint, closing(Client(endpoint)) as client:  # type: ignore[arg-type]  # a part
        assert client.post("runs/create", experiment_id="0", start_time=5).status == 200
        answer = client.get("registered-models/get", name="m")
        assert answer.error == (501, "NOT_IMPLEMENTED")
        assert "has no model registry" in answer.json["message"]
        assert client.get("logged-models/m-1").error == (501, "NOT_IMPLEMENTED")
