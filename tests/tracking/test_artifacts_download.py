"""Downloads of `path` parameters: from every kind of URI, whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import SourceError, TrackingError
from projrun.tracking.artifacts.download import download_uri
from projrun.tracking.artifacts.references import resolve
from projrun.tracking.entities import Run
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from tests.tracking.loopback import Answer, Loopback, always, closed_port, serve

PLAIN = {"Content-Type": "text/plain"}


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve(always(Answer(b"content", 200, PLAIN))) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(tmp_path / "home" / "projrun.db")) as store:
        yield store


@pytest.fixture
def run(store: SqlStore, tmp_path: Path) -> Run:
    """A run with a model of two files and a table."""
    run = store.create_run("0", start_time=1)
    artifacts = store.artifacts(run.artifact_uri)
    for path in ("model/MLmodel", "model/data/weights", "table.csv"):
        file = tmp_path / "upload"
        file.write_text(path)
        artifacts.upload(file, path)
    return run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the download goes: its folder does not exist yet."""
    return tmp_path / "downloads" / "0" / "place"


def fetch(uri: str, place: Path, store: RunStore | None = None, **environ: str) -> None:
    download_uri(uri, place, store, environ)


def refused(uri: str, place: Path, store: RunStore | None = None, **environ: str) -> SourceError:
    """The error of a download, which leaves nothing behind."""
    with pytest.raises(SourceError) as caught:
        fetch(uri, place, store, **environ)
    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.message
    assert not place.parent.exists() or list(place.parent.iterdir()) == []
    return caught.value


def tree(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


# --- the web ---


def test_file_of_the_web(server: Loopback, place: Path) -> None:
    fetch(f"{server.uri}/data.csv?v=1#fragment", place)
    assert place.read_bytes() == b"content"
    assert [entry.name for entry in place.parent.iterdir()] == ["place"]
    (request,) = server.received
    assert request.path == "/data.csv?v=1"
    assert "authorization" not in request.headers


def test_credentials_of_the_tracking_server_stay_at_home(server: Loopback, place: Path) -> None:
    fetch(server.uri, place, MLFLOW_TRACKING_TOKEN="token", MLFLOW_TRACKING_USERNAME="u")
    assert "authorization" not in server.received[0].headers


def test_credentials_of_the_url_and_of_netrc_are_sent(server: Loopback, place: Path, tmp_path: Path) -> None:
    fetch(server.with_user("u:p"), place)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login n password q\n")
    fetch(server.uri, place, HOME=str(tmp_path))
    assert [request.headers["authorization"] for request in server.received] == ["Basic dTpw", "Basic bjpx"]


def test_credentials_do_not_follow_a_redirect_to_another_host(
    server: Loopback, place: Path, tmp_path: Path
) -> None:
    (Path.home() / ".netrc").write_text("machine localhost login n password q\n")
    elsewhere = {"Location": server.uri.replace("127.0.0.1", "localhost") + "/real"}
    with serve(always(Answer(b"", 302, elsewhere))) as first:
        fetch(first.with_user("u:p"), place)
        assert first.received[0].headers["authorization"] == "Basic dTpw"
    assert place.read_bytes() == b"content"
    assert server.received[0].path == "/real"
    assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_page_of_an_error_is_no_data(server: Loopback, place: Path, status: int) -> None:
    server.respond = always(Answer(b"<html>", status, PLAIN))
    error = refused(f"{server.with_user('user:word')}/x?sig=word", place)
    assert error.message.startswith(f"{server.uri}/x?sig=*** cannot be downloaded: HTTP {status} ")


def test_download_that_breaks_off_leaves_nothing(server: Loopback, place: Path) -> None:
    server.respond = always(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf")
    assert "the connection broke off" in refused(server.uri, place).message


def test_redirects_without_end(server: Loopback, place: Path) -> None:
    server.respond = always(Answer(b"", 302, {"Location": "/again"}))
    assert "it redirects endlessly" in refused(server.uri, place).message
    assert len(server.received) == 11


def test_redirect_to_a_file_of_this_machine_is_not_followed(server: Loopback, place: Path) -> None:
    server.respond = always(Answer(b"", 302, {"Location": "file:///etc/passwd"}))
    refused(server.uri, place)


def test_server_that_is_down(place: Path) -> None:
    with closed_port() as uri:
        error = refused(uri.replace("://", "://user:word@"), place)
    assert error.message == f"{uri} cannot be downloaded: connection refused"


def test_address_that_is_none(place: Path) -> None:
    for uri in ("http:///x", "http://[::1/x", "http://host:port/x"):
        assert "is not a web address" in refused(uri, place).message


def test_certificates_that_are_not_there_are_named(place: Path) -> None:
    error = refused("https://127.0.0.1:9/x", place, REQUESTS_CA_BUNDLE="/no/such.pem")
    assert "REQUESTS_CA_BUNDLE names '/no/such.pem', which does not exist" in error.message


# --- the place ---


def test_only_its_owner_reads_a_download(server: Loopback, place: Path) -> None:
    fetch(server.uri, place)
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_place_that_is_taken_is_left_alone(store: SqlStore, run: Run, place: Path) -> None:
    (place / "kept").mkdir(parents=True)
    with pytest.raises(SourceError, match="cannot be copied to"):
        fetch(f"runs:/{run.run_id}/model", place, store)
    assert [entry.name for entry in place.parent.iterdir()] == ["place"]
    assert (place / "kept").is_dir()


def test_folder_that_cannot_be_made(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be copied to"):
        fetch(server.uri, tmp_path / "file" / "sub" / "place")


@pytest.mark.parametrize("uri", ["ftp://user:word@host/x", "file:///etc/hostname", "dbfs:/x"])
def test_unknown_scheme(uri: str, place: Path) -> None:
    scheme = uri.partition(":")[0]
    shown = uri.replace("user:word@", "")
    assert refused(uri, place).message == f"{shown} cannot be downloaded: {scheme}: is not supported"


# --- the tracking store ---


def test_artifacts_of_a_run(store: SqlStore, run: Run, place: Path) -> None:
    fetch(f"runs:/{run.run_id}/model", place, store)
    assert tree(place) == ["MLmodel", "data/weights"]
    fetch(f"runs:/{run.run_id}/table.csv", place.parent / "table", store)
    assert (place.parent / "table").read_text() == "table.csv"
    fetch(f"runs:/{run.run_id}/", place.parent / "all", store)
    assert tree(place.parent / "all") == ["model/MLmodel", "model/data/weights", "table.csv"]


def test_artifacts_by_their_own_uri(store: SqlStore, run: Run, place: Path) -> None:
    fetch(f"{run.artifact_uri}/model/data", place, store)
    assert tree(place) == ["weights"]


def test_artifacts_that_are_not_there(store: SqlStore, run: Run, place: Path) -> None:
    assert "absent" in refused(f"runs:/{run.run_id}/absent", place, store).message
    nowhere = refused("runs:/0123", place, store)
    assert (
        nowhere.message
        == f"runs:/0123 cannot be downloaded: the tracking store {store.uri} has no run '0123'"
    )
    assert nowhere.hint == "give the store that has it with --tracking-uri"
    assert "is malformed" in refused("runs:/", place, store).message
    assert "is malformed" in refused("runs://host/x", place, store).message
    refused(f"runs:/{run.run_id}/../../x", place, store)
    refused("mlflow-artifacts:/../x", place, store)


@pytest.mark.parametrize("uri", ["runs:/0123/x", "models:/m/1", "mlflow-artifacts:/0"])
def test_without_a_store(uri: str, place: Path) -> None:
    assert "no tracking store is configured" in refused(uri, place).message


def test_models(store: SqlStore, run: Run, place: Path) -> None:
    part_of(store, ModelRegistry).create_registered_model("tree")
    for source in (f"{run.artifact_uri}/model/data", f"runs:/{run.run_id}/model"):
        part_of(store, ModelRegistry).create_model_version("tree", source=source, run_id=run.run_id)
    fetch("models:/tree/1", place, store)
    assert tree(place) == ["weights"]
    for number, uri in enumerate(["models:/tree/2", "models:/tree/latest"]):
        fetch(uri, place.parent / str(number), store)
        assert tree(place.parent / str(number)) == ["MLmodel", "data/weights"]
    fetch("models:/tree/2/data/weights", place.parent / "weights", store)
    assert (place.parent / "weights").read_text() == "model/data/weights"


def test_logged_model(store: SqlStore, run: Run, place: Path, tmp_path: Path) -> None:
    model = part_of(store, LoggedModels).create_logged_model("0", name="tree", source_run_id=run.run_id)
    (tmp_path / "MLmodel").write_text("yes")
    store.artifacts(model.artifact_uri).upload(tmp_path / "MLmodel", "MLmodel")
    fetch(f"models:/{model.model_id}", place, store)
    assert tree(place) == ["MLmodel"]
    part_of(store, ModelRegistry).create_registered_model("by-id")
    part_of(store, ModelRegistry).create_model_version(
        "by-id", source=f"models:/{model.model_id}", model_id=model.model_id
    )
    fetch("models:/by-id/1", place.parent / "again", store)
    assert tree(place.parent / "again") == ["MLmodel"]


def test_registered_models_are_asked_of_mlflows_registry(
    store: SqlStore, run: Run, place: Path, tmp_path: Path
) -> None:
    database = tmp_path / "registry.db"
    with closing(SqlStore.open(database)) as registry:
        part_of(registry, ModelRegistry).create_registered_model("tree")
        part_of(registry, ModelRegistry).create_model_version("tree", source=f"runs:/{run.run_id}/model")
    fetch("models:/tree/1/data", place, store, MLFLOW_REGISTRY_URI=f"sqlite:///{database}")
    assert tree(place) == ["weights"]
    model = part_of(store, LoggedModels).create_logged_model("0", name="logged", source_run_id=run.run_id)
    uri, elsewhere = f"models:/{model.model_id}", place.parent / "logged"
    error = refused(uri, elsewhere.with_name("x") / "logged", store, MLFLOW_REGISTRY_URI="file:/mlruns")
    assert "cannot record to the tracking URI" in error.message
    (tmp_path / "MLmodel").write_text("yes")
    store.artifacts(model.artifact_uri).upload(tmp_path / "MLmodel", "MLmodel")
    fetch(uri, elsewhere, store, MLFLOW_REGISTRY_URI=f"sqlite:///{database}")
    assert tree(elsewhere) == ["MLmodel"]


def test_models_that_are_not_there(store: SqlStore, run: Run, place: Path) -> None:
    part_of(store, ModelRegistry).create_registered_model("empty")
    assert "has none in 'latest'" in refused("models:/empty/latest", place, store).message
    assert "has none in 'Production'" in refused("models:/empty/Production", place, store).message
    assert "alias best not found" in refused("models:/empty@best", place, store).message
    for uri in (
        "models:/absent/1",
        "models:/absent/latest",
        "models:/m-absent",
        "models:/",
        "models:/empty/9",
    ):
        refused(uri, place, store)


def test_models_that_lead_to_each_other_end(store: SqlStore) -> None:
    part_of(store, ModelRegistry).create_registered_model("circle")
    part_of(store, ModelRegistry).create_model_version("circle", source="s3://b/x")
    with closing(sqlite3.connect(store.uri.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE registry_versions SET storage_location = 'models:/circle/1'")
    with pytest.raises(TrackingError, match="in a loop"):
        resolve("models:/circle/1", store)


def test_alias_and_stage(run: Run, store: SqlStore, place: Path) -> None:
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model("tree")
    registry.create_model_version("tree", source=f"runs:/{run.run_id}/model")
    registry.create_model_version("tree", source=f"runs:/{run.run_id}/other")
    registry.set_registered_model_alias("tree", "best", "1")
    registry.transition_model_version_stage("tree", "1", "Production")
    fetch("models:/tree@best/data", place, store)
    assert tree(place) == ["weights"]
    assert resolve("models:/tree/production", store) == resolve("models:/tree/1", store)
