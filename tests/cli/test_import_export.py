"""`projrun import` and `projrun export`: what they say, their exit codes, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Metric
from projrun.tracking.sql.store import SqlStore
from tests.tracking.loopback import closed_port
from tests.transfer.stores import contents, full_store, points_of, store_at
from tests.transfer.test_mlflow_folder import OLD, RUN, mlruns, write

__all__ = ["mlruns"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(full_store(tmp_path / "own")) as store:
        yield store


class Bench:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "target" / "projrun.db"
        self.uri = f"sqlite:///{self.file}"
        self._capsys = capsys

    def bring(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = execute(["import", *words, "--tracking-uri", self.uri])
        return code, *self._capsys.readouterr()

    def export(self, *words: str) -> tuple[int, str, str]:
        code = execute(["export", *words])
        return code, *self._capsys.readouterr()

    def contents(self) -> list[Any]:
        with closing(store_at(self.file.parent)) as store:
            return contents(store)


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path, capsys)


def test_a_folder_arrives_and_comes_once(bench: Bench, mlruns: Path) -> None:
    code, out, _ = bench.bring(str(mlruns))
    assert (code, out) == (0, "imported 2 experiments, 2 runs, 4 points, 1 artifact (4 B)\n")
    code, out, _ = bench.bring(str(mlruns.parent))  # the folder that holds it
    assert (code, out) == (0, "imported nothing; 2 runs were there already\n")
    with closing(store_at(bench.file.parent)) as store:
        run, old = store.get_run(RUN), store.get_run(OLD)
        assert (run.run_name, run.status, run.end_time, run.user_id) == ("first", "FINISHED", 9, "ada")
        assert (old.run_name, old.status, old.end_time) == (OLD[:8], "FAILED", None)
        assert [entry.path for entry in store.artifacts(run.artifact_uri).list("a")] == ["a/b.txt"]


def test_what_is_damaged_is_named_and_the_exit_code_says_so(bench: Bench, mlruns: Path) -> None:
    write(mlruns, {f"7/{RUN}/meta.yaml": "a: ["})
    code, out, err = bench.bring(str(mlruns))
    assert (code, out) == (5, "imported 2 experiments, 1 run, 1 point\n")
    assert [line for line in err.splitlines() if "warning" in line] == [
        f"projrun: warning: not imported: {mlruns}/7/{RUN}/meta.yaml, line 2: not valid YAML",
    ]
    code, out, _ = bench.bring(str(mlruns), "--json")
    assert (code, len(json.loads(out)["missing"])) == (5, 1)


def _database(file: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return file


def test_what_is_no_store_is_one_line(bench: Bench, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("x" * 200)
    other = _database(tmp_path / "other.db", "CREATE TABLE t (x)")
    tables = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags")
    newer = _database(
        tmp_path / "newer.db",
        *(f"CREATE TABLE {table} (x)" for table in tables),
        "CREATE TABLE alembic_version (version_num)",
        "INSERT INTO alembic_version VALUES ('ffff00001111')",
    )
    for source, words in (
        (str(tmp_path / "away"), "away does not exist"),
        (str(text), "notes.txt is not an SQLite file"),
        (str(other), "other.db is not a store of MLflow"),
        (str(newer), "newer.db has a schema that this projrun does not know: ffff00001111"),
        (str(tmp_path), "is not a folder of MLflow's"),
        ("mysql://host/mlflow", "projrun cannot read mysql://host/mlflow"),
        (bench.uri, "is the tracking store itself"),
    ):
        code, out, err = bench.bring(source)
        assert (code, out) == (2, ""), source
        assert words in err
        assert len(err.splitlines()) == 1


def test_a_server_that_is_away_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with closed_port() as uri:
        code, _, err = bench.bring(uri)
    assert code == 5
    assert "cannot be reached" in err


def test_a_server_of_ours_gives_and_takes_all(own: SqlStore, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "served" / "projrun.db"
    store_at(file.parent).close()
    with Endpoint.open(lambda: SqlStore.open(file)) as endpoint:
        code, out, err = bench.export("--tracking-uri", own.uri, "--to", endpoint.uri)
        assert (code, "warning" in err) == (0, False)
        assert out.startswith("exported 2 experiments, 4 runs, 37 points, 2 logged models, 3 model versions")
        assert bench.export("--tracking-uri", own.uri, "--to", endpoint.uri)[1].startswith("exported nothing")
        assert bench.bring(endpoint.uri)[0] == 0
    assert bench.contents() == contents(own)


def test_lines_of_json(own: SqlStore, bench: Bench, tmp_path: Path) -> None:
    code, out, _ = bench.export("--tracking-uri", own.uri, "--jsonl", "-")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, points_of(lines)) == (0, 37)
    code, out, _ = bench.export(
        "--tracking-uri", own.uri, "--jsonl", str(tmp_path / "x"), "--experiment", "gone"
    )
    assert (code, out) == (0, "exported 1 experiment, 1 run, 1 point\n")
    assert [json.loads(line)["type"] for line in (tmp_path / "x").read_text().splitlines()] == [
        "experiment",
        "run",
        "metric",
    ]


def test_an_export_needs_one_target(own: SqlStore, bench: Bench, tmp_path: Path) -> None:
    assert bench.export("--tracking-uri", own.uri)[::2] == (
        2,
        "projrun: error: give --to URI or --jsonl FILE\n",
    )
    code, _, err = bench.export("--tracking-uri", own.uri, "--to", "./mlruns")
    assert code == 2
    assert "projrun writes no mlruns folders" in err
    code, _, err = bench.export("--tracking-uri", own.uri, "--jsonl", str(tmp_path / "no" / "x"))
    assert (code, len(err.splitlines())) == (2, 1)


def _has_metrics(store: SqlStore) -> bool:
    return any(run.metrics for run in store.search_runs(["0"]).runs)


def test_a_killed_import_goes_on(bench: Bench, tmp_path: Path) -> None:
    with closing(store_at(tmp_path / "own")) as own:
        for number in range(4):
            run = own.create_run("0", run_name=f"run-{number}", start_time=number)
            own.log_batch(run.run_id, metrics=[Metric("loss", 0.5, step, step) for step in range(20_000)])
            own.update_run(run.run_id, status="FINISHED", end_time=9)
        with closing(store_at(bench.file.parent)) as target:
            words = [sys.executable, "-m", "projrun", "import", own.uri, "--tracking-uri", bench.uri]
            environ = {**os.environ, "PROJRUN_HOME": str(tmp_path / "home")}
            process = subprocess.Popen(
                words, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while process.poll() is None and not _has_metrics(target):
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert _has_metrics(target)
        assert bench.bring(own.uri)[0] == 0
        assert bench.contents() == contents(own)
