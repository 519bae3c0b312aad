"""The registry's routes: what is not in the kit that runs over REST, and sources that a client must not register."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.registry import IS_PROMPT
from tests.server.client import Client

INVALID = (400, "INVALID_PARAMETER_VALUE")
NOT_FOUND = (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.fixture
def model(client: Client) -> str:
    """A registered model with one version."""
    client.post("registered-models/create", name="wine")
    client.post("model-versions/create", name="wine", source="s3://b/m")
    return "wine"


@pytest.fixture
def owned(client: Client, run_id: str) -> str:
    """Where the artifacts of the run are."""
    return str(client.get("runs/get", run_id=run_id).json["run"]["info"]["artifact_uri"])


def logged_model(client: Client, run_id: str) -> dict[str, Any]:
    """A logged model of the run."""
    made = client.post("logged-models", experiment_id="0", name="forest", source_run_id=run_id)
    found: dict[str, Any] = made.json["model"]["info"]
    return found


def register(client: Client, source: str, **fields: object) -> tuple[int, str]:
    """The status and the source, or MLflow's code, of a new version of `wine`."""
    answer = client.post("model-versions/create", name="wine", source=source, **fields)
    return answer.error if answer.status != 200 else (200, answer.json["model_version"]["source"])


def test_answers_have_mlflows_shape(client: Client, model: str) -> None:
    client.post("registered-models/alias", name=model, alias="best", version="1")
    found = client.get("registered-models/get", name=model).json["registered_model"]
    version = found["latest_versions"][0]
    assert found["aliases"] == [{"alias": "best", "version": "1"}]
    assert version == {
        "name": "wine",
        "version": "1",
        "creation_timestamp": version["creation_timestamp"],
        "last_updated_timestamp": version["last_updated_timestamp"],
        "current_stage": "None",
        "description": "",
        "source": "s3://b/m",
        "run_id": "",
        "status": "READY",
        "run_link": "",
        "aliases": ["best"],
    }
    assert client.get("registered-models/alias", name=model, alias="best").json == {"model_version": version}
    unknown = client.get("registered-models/alias", name=model, alias="nope")
    assert unknown.error == INVALID
    assert unknown.json["message"] == "Registered model alias nope not found."
    assert client.get("registered-models/alias", name="none", alias="best").error == NOT_FOUND


def test_latest_versions_of_a_stage_by_get_and_post(client: Client, model: str) -> None:
    assert client.post("registered-models/get-latest-versions", name=model, stages=["Production"]).json == {}
    assert client.get("registered-models/get-latest-versions", name=model, stages=["Staging", "None"]).json[
        "model_versions"
    ]


def test_words_that_clients_look_for(client: Client, model: str) -> None:
    for answer, words in (
        (client.post("registered-models/create", name=model), "Registered Model (name=wine) already exists."),
        (client.get("registered-models/get", name="none"), "Registered Model with name=none not found"),
        (
            client.get("model-versions/get", name=model, version="7"),
            "Model Version (name=wine, version=7) not found",
        ),
        (
            client.get("model-versions/get", name=model, version="x"),
            "Parameter 'version' must be an integer, got 'x'.",
        ),
        (
            client.post("registered-models/create", name="a/b"),
            "Invalid model name 'a/b'. Names cannot contain '/' or ':'.",
        ),
    ):
        assert answer.json["message"] == words


SOURCES_OF_OTHERS = (
    "/etc",
    "file:///etc",
    "file://localhost/etc",
    "file://elsewhere/etc",
    "relative/folder",
    "../../etc",
    "mlflow-artifacts:/../x",
    "mlflow-artifacts:/0/other/artifacts",
    "mlflow-artifacts:/0/%2e%2e/x",
    "mlflow-artifacts://host:5000/0/x",
    "s3://b/../x",
    "s3://b/%2e%2e/x",
    "s3://b/%252e%252e/x",
    "s3://b/m%00",
    "s3://b",
    "dbfs:/x/../y",
    "http://169.254.169.254/latest",
    "https://host/api/2.0/mlflow-artifacts/artifacts/x",
    "ftp://host/x",
    "hdfs://host/x",
    "runs:/0123/model",
    "runs://host/0123/model",
    "models:/m-0123",
    "models://host/wine/1",
    "models:/",
    "models:/wine/1/2",
    "http://[/x",
)


@pytest.mark.parametrize("source", SOURCES_OF_OTHERS)
def test_source_of_others_is_refused(client: Client, model: str, run_id: str, source: str) -> None:
    assert register(client, source) == INVALID
    assert register(client, source, run_id="f" * 32) == INVALID
    assert register(client, source, run_id=run_id) == INVALID
    assert register(client, source, model_id="m-" + "f" * 32)[0] in (400, 404)
    assert (
        client.get("registered-models/get", name=model).json["registered_model"]["latest_versions"][0][
            "version"
        ]
        == "1"
    )


def test_source_in_the_run_is_taken(client: Client, model: str, run_id: str, owned: str) -> None:
    for source in (owned, f"{owned}/model", f"runs:/{run_id}/model", "s3://bucket/model", "gs://b/m/"):
        assert register(client, source, run_id=run_id) == (200, source)
    for source in (f"{owned}/../../x", f"{owned}/%2e%2e/x", f"{owned}x"):
        assert register(client, source, run_id=run_id) == INVALID
    assert register(client, f"{owned}/model") == INVALID


def test_folder_of_a_run_on_this_machine(client: Client, model: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "outside").mkdir(parents=True)
    made = client.post("experiments/create", name="here", artifact_location=str(place / "inside"))
    run = client.post("runs/create", experiment_id=made.json["experiment_id"], start_time=1).json["run"][
        "info"
    ]
    own = Path(run["artifact_uri"].removeprefix("file://"))
    own.mkdir(parents=True)
    (own / "link").symlink_to(place / "outside")
    assert register(client, str(own / "model"), run_id=run["run_id"]) == (200, str(own / "model"))
    for source in (place / "outside", own / "link", own / ".." / ".." / "x"):
        assert register(client, str(source), run_id=run["run_id"]) == INVALID


def test_command_on_this_machine_registers_its_folder(endpoint: Endpoint, model: str) -> None:
    with closing(Client(endpoint, in_place=True)) as client:
        run = client.post("runs/create", experiment_id="0", start_time=1).json["run"]["info"]
        source = f"{run['artifact_uri']}/model"
        assert Path(source).is_absolute()
        assert register(client, source, run_id=run["run_id"]) == (200, source)


def test_version_of_a_logged_model_is_noted_there(client: Client, model: str, run_id: str) -> None:
    logged = logged_model(client, run_id)
    model_id = logged["model_id"]
    for _ in range(2):
        answer = client.post(
            "model-versions/create", name=model, source=f"models:/{model_id}", model_id=model_id
        )
        assert answer.json["model_version"]["run_id"] == run_id
    found = client.get(f"logged-models/{model_id}").json["model"]["info"]["tags"]
    (tag,) = [tag["value"] for tag in found if tag["key"] == "mlflow.modelVersions"]
    assert json.loads(tag) == [{"name": "wine", "version": 2}, {"name": "wine", "version": 3}]
    uri = client.get("model-versions/get-download-uri", name=model, version="3").json
    assert uri == {"artifact_uri": logged["artifact_uri"]}
    assert register(client, f"{logged['artifact_uri']}/x", model_id=model_id)[0] == 200
    assert register(client, f"models:/{model_id}") == INVALID


def test_tag_of_a_logged_model_that_is_no_list(client: Client, model: str, run_id: str) -> None:
    model_id = logged_model(client, run_id)["model_id"]
    for text in ("{", "3", "[" + '"x", ' * 1500 + '"x"]'):
        tags = {"tags": [{"key": "mlflow.modelVersions", "value": text}]}
        path = f"/api/2.0/mlflow/logged-models/{model_id}/tags"
        assert client.send("PATCH", path, json.dumps(tags).encode()).status == 200
        assert register(client, f"models:/{model_id}", model_id=model_id)[0] == 200
        found = client.get(f"logged-models/{model_id}").json["model"]["info"]["tags"]
        (value,) = [tag["value"] for tag in found if tag["key"] == "mlflow.modelVersions"]
        assert json.loads(value)[-1]["name"] == "wine"
        assert len(value) <= 8000


def test_version_of_another_model(client: Client, model: str, run_id: str, owned: str) -> None:
    client.post("model-versions/create", name=model, source=f"{owned}/model", run_id=run_id)
    client.post("registered-models/alias", name=model, alias="best", version="2")
    client.post("model-versions/transition-stage", name=model, version="2", stage="Production")
    client.post("registered-models/create", name="copy")
    for source in ("models:/wine/2", "models:/wine@best", "models:/wine/production", "models:/wine/latest"):
        made = client.post("model-versions/create", name="copy", source=source).json["model_version"]
        assert (made["source"], made["run_id"]) == ("models:/wine/2", run_id)
        uri = client.get("model-versions/get-download-uri", name="copy", version=made["version"]).json
        assert uri == {"artifact_uri": f"{owned}/model"}
    assert register(client, "models:/wine/2", run_id="f" * 32) == INVALID
    assert register(client, "models:/wine/9") == NOT_FOUND
    assert register(client, "models:/wine/Staging") == NOT_FOUND
    assert register(client, "models:/none/1") == NOT_FOUND


def test_prompts_have_placeholders_for_sources(client: Client, model: str) -> None:
    tags = [{"key": IS_PROMPT, "value": "true"}, {"key": "mlflow.prompt.text", "value": "hello"}]
    client.post("registered-models/create", name="greeting", tags=tags[:1])
    create = "model-versions/create"
    assert client.post(create, name="greeting", source="dummy-source", tags=tags).status == 200
    assert client.post(create, name="greeting", source="/etc", tags=tags).error == INVALID
    assert register(client, "models:/greeting/1") == INVALID
    assert [found["name"] for found in client.get("registered-models/search").json["registered_models"]] == [
        model
    ]
