"""Tracking URIs: which store, what is refused with which remedy, and what people are shown."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projrun.credentials import redact_uri
from projrun.errors import RequestError
from projrun.tracking.open import open_store
from projrun.tracking.rest.store import RestStore
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.uri import parse_tracking_uri


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        (" https://host.test/prefix/ ", "https://host.test/prefix"),
        ("HTTP://host.test", "http://host.test"),
        ("http://user:word@host.test:80/", "http://user:word@host.test:80"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_servers(text: str, understood: str) -> None:
    uri = parse_tracking_uri(text)
    assert (uri.kind, uri.text, uri.database) == ("rest", understood, None)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("sqlite:///runs.db", "/work/here/runs.db"),
        ("sqlite:///sub/runs.db", "/work/here/sub/runs.db"),
        ("sqlite:////tmp/runs.db", "/tmp/runs.db"),
        ("SQLite:////tmp/a b%20c#d.db", "/tmp/a b%20c#d.db"),
    ],
)
def test_sqlite_files_are_found_as_sqlalchemy_finds_them(text: str, file: str) -> None:
    uri = parse_tracking_uri(text, Path("/work/here"))
    assert (uri.kind, uri.database) == ("sqlite", Path(file))
    assert uri.text == f"sqlite:///{file}"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:secret@h/d",
        "postgresql+psycopg2://u:secret@h/d",
        "postgres://u:secret@h/d",
        "PostgreSQL+psycopg://u:secret@h/d",
    ],
)
def test_databases_are_named_as_for_sqlalchemy(text: str) -> None:
    uri = parse_tracking_uri(text)
    assert (uri.kind, uri.text, uri.database) == ("postgresql", "postgresql://u:secret@h/d", None)
    assert uri.shown == "postgresql://h/d"


def test_relative_file_without_a_folder_is_in_the_working_folder() -> None:
    assert parse_tracking_uri("sqlite:///x.db").database == Path.cwd() / "x.db"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("file:///tmp/mlruns", "mlflow server --backend-store-uri"),
        ("./mlruns", "mlflow server --backend-store-uri"),
        ("mlruns", "mlflow server --backend-store-uri"),
        ("/abs/mlruns", "mlflow server --backend-store-uri"),
        ("C:\\mlruns", "mlflow server --backend-store-uri"),
        ("mysql://u:secret@h/d", "mlflow server --backend-store-uri mysql://"),
        ("mysql+pymysql://u:secret@h/d", "mlflow server --backend-store-uri mysql://"),
        ("mssql+pyodbc://u:secret@h/d", "mlflow server --backend-store-uri mssql://"),
        ("databricks", "MLFLOW_TRACKING_TOKEN"),
        ("databricks://profile", "MLFLOW_TRACKING_TOKEN"),
        ("databricks-uc", "MLFLOW_TRACKING_TOKEN"),
        ("postgresql:u:secret@h/d", "postgresql://USER@HOST:PORT/DATABASE"),
        ("postgres://u:secret@h/d b", "postgresql://USER@HOST:PORT/DATABASE"),
        ("ftp://h/d", "http(s)://HOST, postgresql://HOST/DATABASE or sqlite:///FILE"),
        ("me:secret@h/d", "http(s)://HOST, postgresql://HOST/DATABASE or sqlite:///FILE"),
        ("u:secret@h/d", "mlflow server --backend-store-uri"),
        ("//u:secret@h/d", "mlflow server --backend-store-uri"),
        ("http:u:secret@h/d", "http(s)://HOST:PORT"),
        ("sqlite://u:secret@h/d", "sqlite:////FOLDER/FILE is absolute"),
        ("", "http(s)://HOST, postgresql://HOST/DATABASE or sqlite:///FILE"),
        ("  ", "http(s)://HOST, postgresql://HOST/DATABASE or sqlite:///FILE"),
        ("sqlite://", "sqlite:////FOLDER/FILE is absolute"),
        ("sqlite:///", "sqlite:////FOLDER/FILE is absolute"),
        ("sqlite:///:memory:", "sqlite:////FOLDER/FILE is absolute"),
        ("sqlite://host/file.db", "sqlite:////FOLDER/FILE is absolute"),
        ("sqlite:///x.db?timeout=3", "remove them: sqlite:///FILE"),
        ("http://", "http(s)://HOST:PORT"),
        ("http:host", "http(s)://HOST:PORT"),
        ("http://host:port", "http(s)://HOST:PORT"),
        ("http://host:99999", "http(s)://HOST:PORT"),
        ("http://ho st", "http(s)://HOST:PORT"),
        ("http://host\n.test", "http(s)://HOST:PORT"),
        ("http://[::1", "http(s)://HOST:PORT"),
        ("http://user:se/cret@host:80", "http(s)://HOST:PORT"),
        ("http://host?token=secret", "http(s)://HOST:PORT/PREFIX"),
        ("http://host#x", "http(s)://HOST:PORT/PREFIX"),
    ],
)
def test_others_are_refused_with_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_tracking_uri(text)
    assert remedy in caught.value.hint
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message
    assert "secret" not in caught.value.message
    assert "cret@" not in caught.value.message


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    try:
        uri = parse_tracking_uri(text)
    except RequestError as error:
        assert error.hint
    else:
        assert uri.shown == redact_uri(uri.text)


def test_sqlite_store_is_opened(tmp_path: Path) -> None:
    warnings: list[str] = []
    uri = parse_tracking_uri("sqlite:///home/runs.db", tmp_path)
    with closing(open_store(uri, {}, warn=warnings.append)) as store:
        assert isinstance(store, SqlStore)
        assert store.get_experiment("0").name == "Default"
    assert (tmp_path / "home" / "runs.db").is_file()


def test_server_is_not_asked_when_it_is_opened() -> None:
    uri = parse_tracking_uri("http://user:word@127.0.0.1:9")
    with closing(open_store(uri, {}, warn=pytest.fail)) as store:
        assert isinstance(store, RestStore)
        assert store.uri == "http://127.0.0.1:9"
