"""What `projrun server` refuses before it serves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.execution import execute
from projrun.tracking.sql.engine import VERSION
from projrun.tracking.sql.migrations import MIGRATIONS
from projrun.tracking.sql.sqlite import SqliteEngine


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "other machines reach 0.0.0.0"),
        (["--host", "::"], "--no-auth"),
        (["--port", "http"], "'http' is not a port"),
        (["--port", "70000"], "not a port"),
        (["--host", "no-such-host.invalid", "--no-auth"], "not an address of this machine"),
        (["--workers", "2"], "has one writer"),
        (["--workers", "none"], "'none' is not a number of processes"),
        (["--no-serve-artifacts"], "--default-artifact-root"),
        (["--artifacts-destination", "ftp://host/x"], "artifacts cannot be kept at ftp://host/x"),
        (["--static-prefix", "mlflow"], "'mlflow' is not a path"),
        (["--upload-limit", "much"], "--upload-limit: 'much' is not a size"),
        (["--upload-limit", "0"], "--no-serve-artifacts"),
        (["--log-format", "xml"], "one of none, text, json"),
        (["--ssl-certfile", "/no/such"], "file not found: /no/such"),
        (["--backend-store-uri", "mysql://db/x"], "mysql"),
        (["--backend-store-uri", "./mlruns"], "is a folder or file"),
    ],
)
def test_a_mistake_ends_with_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["server", *words]) == 2
    assert message in capsys.readouterr().err


def test_mlflows_own_database_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(database)) as connection:
        for table in ("experiments", "runs", "alembic_version"):
            connection.execute(f"CREATE TABLE {table} (id INTEGER)")
        connection.commit()
    before = database.read_bytes()
    assert execute(["server", "--backend-store-uri", f"sqlite:///{database}"]) == 2
    message = capsys.readouterr().err
    assert "MLflow's own database" in message
    assert "give a file that does not exist yet" in message
    assert f"`mlflow server --backend-store-uri sqlite:///{database}`" in message
    assert database.read_bytes() == before


def test_ui_shows_one_store(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--tracking-uri", "http://127.0.0.1:1", "--backend-store-uri", "sqlite:///x.db"]
    assert execute(["ui", *words]) == 2
    assert "name two stores" in capsys.readouterr().err


def test_an_older_store_is_upgraded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "old.db"
    SqliteEngine.open(database, migrations=MIGRATIONS[:1]).close()
    uri = f"sqlite:///{database}"
    assert execute(["server", "upgrade-db", uri]) == 0
    assert capsys.readouterr().out == f"upgraded {uri} from schema 1 to {VERSION}\n"
    assert execute(["server", "upgrade-db", "--backend-store-uri", uri]) == 0
    assert capsys.readouterr().out == f"{uri} has the newest schema ({VERSION})\n"


def test_a_server_upgrades_its_own_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["server", "upgrade-db", "http://127.0.0.1:1"]) == 2
    assert "is no database" in capsys.readouterr().err
