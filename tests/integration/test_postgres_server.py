"""`projrun server` on PostgreSQL: its processes share a store, and upgrade one that is older when told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.tracking.entities import Metric, Param
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.rest.store import RestStore
from tests.support.commands import run_projrun
from tests.support.postgres import PASSWORD, PostgresServer, run_statement
from tests.support.program import Program, projrun_server

CLIENTS = 8


@pytest.fixture
def uri(postgres_server: PostgresServer) -> str:
    """The URI of an empty database."""
    return postgres_server.uri()


@pytest.fixture
def server(uri: str, tmp_path: Path) -> Iterator[Program]:
    """Two processes that serve it."""
    words = (
        "--backend-store-uri",
        uri,
        "--artifacts-destination",
        str(tmp_path / "artifacts"),
        "--workers",
        "2",
    )
    with projrun_server(tmp_path, *words) as program:
        yield program


def test_clients_of_two_processes_share_a_store(server: Program, tmp_path: Path) -> None:
    results: list[object] = []

    def work(number: int) -> None:
        try:
            with closing(RestStore(server.uri, {})) as store:
                run = store.create_run(store.create_experiment(f"experiment {number}"), start_time=1)
                store.log_batch(run.run_id, params=[Param("a", str(number))])
                for step in range(20):
                    store.log_batch(run.run_id, metrics=[Metric("m", float(step), step, step)])
                    store.log_batch(shared, metrics=[Metric("m", float(number), number, step)])
                version = part_of(store, ModelRegistry).create_model_version(
                    "shared", source="s3://bucket/model"
                )
                store.artifacts(run.artifact_uri).upload(file, "file.txt")
                results.append((int(version.version), len(store.get_metric_history(run.run_id, "m").metrics)))
        except Exception as error:
            results.append(error)

    file = tmp_path / "file.txt"
    file.write_text("kept")
    with closing(RestStore(server.uri, {})) as store:
        shared = store.create_run("0", start_time=1).run_id
        part_of(store, ModelRegistry).create_registered_model("shared")
        threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results, key=str) == [(number + 1, 20) for number in range(CLIENTS)]
        assert len(store.get_metric_history(shared, "m").metrics) == CLIENTS * 20
    assert len(list((tmp_path / "artifacts").rglob("file.txt"))) == CLIENTS
    assert PASSWORD not in server.log.read_text(encoding="utf-8")


def test_an_older_store_is_served_once_it_is_upgraded(uri: str) -> None:
    assert (
        run_projrun("server", "upgrade-db", uri).check().stdout.startswith("upgraded postgresql://127.0.0.1")
    )
    run_statement(uri, "UPDATE projrun_schema SET version = version - 1")
    refused = run_projrun("server", "--port", "0", "--backend-store-uri", uri)
    assert refused.returncode == 2
    assert "has an older schema" in refused.stderr
    assert "projrun server upgrade-db" in refused.stderr
    run_statement(uri, "UPDATE projrun_schema SET version = 1000000")
    for words in (["--port", "0", "--backend-store-uri", uri], ["upgrade-db", uri]):
        refused = run_projrun("server", *words)
        assert refused.returncode == 2
        assert "newer projrun" in refused.stderr
        assert PASSWORD not in refused.stderr
