"""Where artifacts are: a folder for a command on this machine, `mlflow-artifacts:` for every other client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.server.endpoint import Endpoint, proxied
from projrun.server.places import ArtifactUri, Places
from tests.server.client import Client


@pytest.fixture
def local(endpoint: Endpoint) -> Iterator[Client]:
    """A client that sees the folder of the artifacts."""
    with closing(Client(endpoint, in_place=True)) as client:
        yield client


@pytest.fixture
def root(database: Path) -> Path:
    """The folder of the store's artifacts."""
    return database.parent / "artifacts"


def info(client: Client, run_id: str) -> Any:
    """What a client is told of a run."""
    return client.get("runs/get", run_id=run_id).json["run"]["info"]


def test_folder_of_a_run_is_there_to_be_written(local: Client, root: Path) -> None:
    created = local.post("runs/create", experiment_id="0", start_time=5).json["run"]["info"]
    folder = Path(created["artifact_uri"])
    assert folder == root / "0" / created["run_id"] / "artifacts"
    (folder / "x.txt").write_text("1")
    listed = local.get("artifacts/list", run_id=created["run_id"]).json
    assert listed == {"root_uri": str(folder), "files": [{"path": "x.txt", "is_dir": False, "file_size": 1}]}


def test_other_clients_see_the_same_run_behind_the_server(
    local: Client, client: Client, run_id: str, root: Path
) -> None:
    assert info(local, run_id)["artifact_uri"] == str(root / "0" / run_id / "artifacts")
    assert info(client, run_id)["artifact_uri"] == f"mlflow-artifacts:/0/{run_id}/artifacts"


def test_experiments(local: Client, client: Client, root: Path, tmp_path: Path) -> None:
    assert local.get("experiments/get", experiment_id="0").json["experiment"]["artifact_location"] == str(
        root / "0"
    )
    for name, location, kept in (
        ("inside", str(root / "mine"), "mlflow-artifacts:/mine"),
        ("file", f"file://{root}/a%20b", "mlflow-artifacts:/a b"),
        ("above", f"{root}/../x", f"{tmp_path}/home/artifacts/../x"),
        ("outside", str(tmp_path / "x"), str(tmp_path / "x")),
        ("bucket", "s3://bucket/x", "s3://bucket/x"),
    ):
        local.post("experiments/create", name=name, artifact_location=location)
        found = client.get("experiments/get-by-name", experiment_name=name).json["experiment"]
        assert found["artifact_location"].removeprefix("file://") == kept, name


def test_a_version_registered_from_a_path_is_found_by_every_client(
    local: Client, client: Client, run_id: str, root: Path
) -> None:
    source = f"{info(local, run_id)['artifact_uri']}/model"
    local.post("registered-models/create", name="wine")
    version = local.post("model-versions/create", name="wine", source=source, run_id=run_id).json[
        "model_version"
    ]
    assert version["source"] == source
    shown = client.get("model-versions/get", name="wine", version="1").json["model_version"]
    assert shown["source"] == f"mlflow-artifacts:/0/{run_id}/artifacts/model"
    for one, uri in ((local, source), (client, shown["source"])):
        assert one.get("model-versions/get-download-uri", name="wine", version="1").json == {
            "artifact_uri": uri
        }


def test_logged_models(local: Client, client: Client, root: Path) -> None:
    model = local.post("logged-models", experiment_id="0", name="m").json["model"]["info"]
    assert model["artifact_uri"] == str(root / "0" / "models" / model["model_id"] / "artifacts")
    found = client.get(f"logged-models/{model['model_id']}").json["model"]["info"]
    assert found["artifact_uri"] == f"mlflow-artifacts:/0/models/{model['model_id']}/artifacts"


def test_a_value_that_looks_like_the_uri_stays_as_it_is(local: Client, run_id: str) -> None:
    local.post("runs/set-tag", run_id=run_id, key="t", value="mlflow-artifacts:/0")
    tags = local.get("runs/get", run_id=run_id).json["run"]["data"]["tags"]
    assert {"key": "t", "value": "mlflow-artifacts:/0"} in tags


@pytest.mark.parametrize("uri", ["s3://b/x", "mlflow-artifacts://host/x", "/elsewhere", "mlflow-artifacts:x"])
def test_what_the_store_does_not_serve_is_shown_as_it_is(uri: str) -> None:
    assert Places(Path("/root")).write(ArtifactUri(uri)) == uri


def test_wrong_type_is_the_clients_mistake(local: Client) -> None:
    answer = local.post("experiments/create", name="x", artifact_location=7)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")


def test_an_address_is_proxied_once(endpoint: Endpoint) -> None:
    assert proxied(proxied(endpoint.uri)) == endpoint.uri_at("127.0.0.1") == f"{endpoint.uri}/proxied"
