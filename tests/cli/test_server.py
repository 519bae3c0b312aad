"""What `projrun server` refuses before it serves."""

from __future__ import annotations

import sqlite3
import sys
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
        (["--x-frame-options", "ALLOWALL"], "one of SAMEORIGIN, DENY, NONE"),
        (["--artifacts-only", "--no-serve-artifacts"], "together serve nothing"),
        (["--ssl-certfile", "/no/such"], "file not found: /no/such"),
        (["--ssl-keyfile", __file__], "--ssl-keyfile: a key without a certificate makes no https"),
        (["--artifacts-destination", __file__], f"at {__file__}: it is not a folder"),
        (["--default-artifact-root", __file__], f"at {__file__}: it is not a folder"),
        (
            ["--backend-store-uri", "mysql://db/x"],
            "'mysql://db/x' is not a database that projrun serves; give sqlite",
        ),
        (["--registry-store-uri", "mysql://db/x"], "'mysql://db/x' is not a database that projrun serves"),
        (["--backend-store-uri", "./mlruns"], "is a folder or file, not a database; give sqlite:///FILE"),
        (["--backend-store-uri", "/srv/store.db"], "give sqlite:////srv/store.db"),
        (["upgrade-db", "mysql://db/x"], "is not a database that projrun serves"),
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


def test_upgrade_makes_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["server", "upgrade-db", f"sqlite:///{tmp_path / 'misspelt.db'}"]) == 2
    assert "misspelt.db to upgrade: the file does not exist" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["server", "upgrade-db", "postgresql://127.0.0.1:1/x"],
        ["server", "--backend-store-uri", "postgresql://127.0.0.1:1/x"],
        ["server", "--registry-store-uri", "postgresql://127.0.0.1:1/x"],
        ["runs", "list", "--tracking-uri", "postgresql://127.0.0.1:1/x"],
        ["models", "list", "--tracking-uri", "postgresql://127.0.0.1:1/x"],
    ],
)
def test_without_psycopg_the_message_says_what_to_install(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROJRUN_DEFAULT_ARTIFACT_ROOT", "/srv/artifacts")
    # Both import psycopg.
    monkeypatch.setitem(sys.modules, "projrun.tracking.sql.postgres.engine", None)
    monkeypatch.setitem(sys.modules, "projrun.tracking.sql.postgres.schema", None)
    assert execute(words) == 2
    assert "pip install 'projrun[postgres]'" in capsys.readouterr().err


def test_a_server_upgrades_its_own_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["server", "upgrade-db", "http://127.0.0.1:1"]) == 2
    assert "is no database" in capsys.readouterr().err
