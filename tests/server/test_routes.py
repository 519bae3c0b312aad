"""The REST API: what is sent, what is answered, and what is refused in MLflow's error shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from projrun.server.calls import MAX_BODY
from tests.server.client import API, Client


def test_what_a_script_logs_comes_back(client: Client, run_id: str) -> None:
    assert client.post("runs/log-parameter", run_id=run_id, key="alpha", value="0.5").json == {}
    assert client.post("runs/log-parameter", run_uuid=run_id, key="empty").json == {}
    for value in (1.5, "NaN", "Infinity", "-Infinity", "2"):
        answer = client.post("runs/log-metric", run_id=run_id, key="m", value=value, timestamp="7", step="1")
        assert answer.json == {}
    client.post("runs/set-tag", run_id=run_id, key="team", value="red")
    client.post("runs/set-tag", run_id=run_id, key="gone", value="1")
    client.post("runs/delete-tag", run_id=run_id, key="gone")
    batch = {"params": [{"key": "b", "value": "2"}], "metrics": [{"key": "n", "value": 3, "timestamp": 1}]}
    client.post("runs/log-batch", run_id=run_id, **batch, tags=[{"key": "t", "value": "1"}])
    client.post("runs/update", run_id=run_id, status="FINISHED", end_time=9, run_name="done")
    run = client.get("runs/get", run_id=run_id).json["run"]
    assert run["info"] == {
        "run_id": run_id,
        "run_uuid": run_id,
        "experiment_id": "0",
        "run_name": "done",
        "user_id": "",
        "status": "FINISHED",
        "start_time": 5,
        "end_time": 9,
        "artifact_uri": f"mlflow-artifacts:/0/{run_id}/artifacts",
        "lifecycle_stage": "active",
    }
    pairs = [("alpha", "0.5"), ("b", "2"), ("empty", "")]
    assert run["data"]["params"] == [{"key": key, "value": value} for key, value in pairs]
    assert {tag["key"]: tag["value"] for tag in run["data"]["tags"]} == {
        "mlflow.runName": "done",
        "team": "red",
        "t": "1",
    }
    history = client.get("metrics/get-history", run_id=run_id, metric_key="m").json["metrics"]
    assert [metric["value"] for metric in history] == ["-Infinity", "NaN", 1.5, 2.0, "Infinity"]


def test_history_in_pages(client: Client, run_id: str) -> None:
    metrics = [{"key": "m", "value": n, "timestamp": n, "step": n} for n in range(5)]
    client.post("runs/log-batch", run_id=run_id, metrics=metrics)
    first = client.get("metrics/get-history", run_id=run_id, metric_key="m", max_results=3).json
    token = first["next_page_token"]
    second = client.get(
        "metrics/get-history", run_id=run_id, metric_key="m", max_results=3, page_token=token
    ).json
    assert [metric["step"] for metric in first["metrics"] + second["metrics"]] == [0, 1, 2, 3, 4]
    assert "next_page_token" not in second


def test_experiments(client: Client) -> None:
    created = client.post("experiments/create", name="mine", tags=[{"key": "a", "value": "1"}]).json
    assert created == {"experiment_id": "1"}
    client.post("experiments/set-experiment-tag", experiment_id="1", key="b", value="2")
    experiment = client.get("experiments/get", experiment_id=1).json["experiment"]
    assert experiment["tags"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert experiment == client.get("experiments/get-by-name", experiment_name="mine").json["experiment"]
    found = client.post("experiments/search", max_results=1, order_by=["name DESC"]).json
    assert [item["name"] for item in found["experiments"]] == ["mine"]
    again = client.get("experiments/search", max_results=5, order_by=["name ASC"], view_type="ALL").json
    assert [item["name"] for item in again["experiments"]] == ["Default", "mine"]
    assert client.get("experiments/get-by-name", experiment_name="no").error == (
        404,
        "RESOURCE_DOES_NOT_EXIST",
    )
    assert client.post("experiments/create", name="mine").error == (400, "RESOURCE_ALREADY_EXISTS")


def test_inputs_and_outputs(client: Client, run_id: str) -> None:
    created = client.post("logged-models", experiment_id="0", name="model", source_run_id=run_id).json[
        "model"
    ]
    model_id = created["info"]["model_id"]
    dataset = {"name": "wine", "digest": "abc", "source_type": "local", "source": "x"}
    use = {"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": "train"}]}
    assert (
        client.post("runs/log-inputs", run_id=run_id, datasets=[use], models=[{"model_id": model_id}]).json
        == {}
    )
    assert client.post("runs/outputs", run_id=run_id, models=[{"model_id": model_id, "step": "2"}]).json == {}
    run = client.get("runs/get", run_id=run_id).json["run"]
    assert run["inputs"] == {"dataset_inputs": [use], "model_inputs": [{"model_id": model_id}]}
    assert run["outputs"] == {"model_outputs": [{"model_id": model_id, "step": 2}]}


def test_logged_models(client: Client, run_id: str) -> None:
    params = [{"key": "a", "value": "1"}]
    created = client.post("logged-models", experiment_id="0", name="model", params=params).json["model"]
    model_id = created["info"]["model_id"]
    path = f"{API}logged-models/{model_id}"
    assert created["info"]["status"] == "LOGGED_MODEL_PENDING"
    ready = client.send("PATCH", path, b'{"model_id": "other", "status": "LOGGED_MODEL_READY"}').json["model"]
    assert (ready["info"]["model_id"], ready["info"]["status"]) == (model_id, "LOGGED_MODEL_READY")
    tags = b'{"tags": [{"key": "t", "value": "1"}]}'
    assert client.send("PATCH", f"{path}/tags", tags).json == {}
    assert client.post(f"logged-models/{model_id}/params", params=[{"key": "b", "value": "2"}]).json == {}
    metric = {"key": "m", "value": 1, "timestamp": 1, "model_id": model_id}
    client.post("runs/log-batch", run_id=run_id, metrics=[metric])
    found = client.get(f"logged-models/{model_id}").json["model"]
    assert found["info"]["tags"] == [{"key": "t", "value": "1"}]
    assert found["data"]["params"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert found["data"]["metrics"] == [{**metric, "value": 1.0, "step": 0, "run_id": run_id}]
    order = [{"field_name": "name", "ascending": False}]
    page = client.post(
        "logged-models/search", experiment_ids=["0"], filter="name = 'model'", order_by=order
    ).json
    assert page == {"models": [found]}
    listed = client.get(f"logged-models/{model_id}/artifacts/directories").json
    assert listed == {"root_uri": f"mlflow-artifacts:/0/models/{model_id}/artifacts"}


def test_search_of_runs(client: Client, run_id: str) -> None:
    found = client.post("runs/search", experiment_ids=["0"], filter="start_time = 5", max_results=1).json
    assert [run["info"]["run_id"] for run in found["runs"]] == [run_id]
    assert client.post("runs/search", experiment_ids=[]).json == {}
    refused = client.post("runs/search", experiment_ids=["0"], filter="metrics.m <")
    assert refused.error == (400, "INVALID_PARAMETER_VALUE")
    assert "at character 12" in refused.json["message"]


def test_server_tells_what_it_is(client: Client) -> None:
    assert client.send("GET", "/health").body == b"OK"
    assert client.send("GET", "/version").body == b"3.17.2"
    assert client.send("GET", "/api/3.0/mlflow/server-info").json["workspaces_enabled"] is False


BAD_MESSAGES: list[tuple[str, dict[str, Any], str]] = [
    ("runs/log-model", {"run_id": "RUN"}, "Missing value for required parameter 'model_json'"),
    ("runs/outputs", {"run_id": "RUN"}, "Missing value for required parameter 'models'"),
    ("logged-models/search", {}, "Missing value for required parameter 'experiment_ids'"),
    ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}, "run_id"),
    ("runs/log-metric", {"run_id": "RUN", "key": "m", "value": "abc", "timestamp": 1}, "value"),
    ("runs/log-metric", {"run_id": "RUN", "key": "m", "value": 1}, "timestamp"),
    ("runs/log-metric", {"run_id": "RUN", "key": "m", "value": None, "timestamp": 1}, "value"),
    ("runs/log-metric", {"run_id": "RUN", "key": "m", "value": 1, "timestamp": 2**63}, "timestamp"),
    ("runs/log-metric", {"run_id": "RUN", "key": "m", "value": 1, "timestamp": "soon"}, "timestamp"),
    ("runs/log-parameter", {"run_id": "RUN", "value": "1"}, "Missing value for required parameter 'key'"),
    ("runs/log-parameter", {"run_id": "RUN", "key": "a$", "value": "1"}, "for parameter 'key' supplied"),
    ("runs/log-parameter", {"run_id": "RUN", "key": "a", "value": {"x": 1}}, "value"),
    ("runs/update", {"run_id": "RUN", "status": "DONE"}, "status"),
    ("runs/create", {"experiment_id": "abc"}, "Invalid experiment ID"),
    ("runs/search", {"experiment_ids": ["0"], "run_view_type": "SOME"}, "run_view_type"),
    ("runs/search", {"experiment_ids": ["0"], "max_results": 0}, "max_results"),
    ("experiments/create", {}, "Missing value for required parameter 'name'"),
    (
        "runs/log-batch",
        {"run_id": "RUN", "metrics": [{"key": "m", "value": 1, "timestamp": 1}] * 1001},
        "1000",
    ),
    (
        "runs/log-batch",
        {"run_id": "RUN", "params": [{"key": str(n), "value": "1"} for n in range(101)]},
        "100",
    ),
    ("runs/log-batch", {"run_id": "RUN", "tags": [{"key": str(n), "value": "1"} for n in range(101)]}, "100"),
    ("runs/log-inputs", {"run_id": "RUN", "datasets": [{"dataset": {"name": "x"}}]}, "digest"),
]


@pytest.mark.parametrize(("route", "message", "words"), BAD_MESSAGES)
def test_bad_message(client: Client, run_id: str, route: str, message: dict[str, Any], words: str) -> None:
    if message.get("run_id") == "RUN":
        message = {**message, "run_id": run_id}
    answer = client.post(route, **message)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert words in answer.json["message"]
    run = client.get("runs/get", run_id=run_id).json["run"]
    assert (run["info"]["status"], run["data"].keys()) == ("RUNNING", {"tags"})


@pytest.mark.parametrize(
    "body",
    [
        b"{bad",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"run_id": 1}',
        b'{"run_id": "\\ud800"}',
        b"[" * 100_000,
        b"nul",
        b'{"a"',
    ],
)
def test_body_that_is_no_message(client: Client, body: bytes) -> None:
    for route in ("runs/log-batch", "logged-models/m-1/params"):
        assert client.send("POST", API + route, body).error in (
            (400, "INVALID_PARAMETER_VALUE"),
            (404, "RESOURCE_DOES_NOT_EXIST"),
        )
    assert client.send("POST", API + "runs/log-batch", body).status == 400


def test_body_may_be_missing(client: Client) -> None:
    assert client.send("POST", API + "experiments/search", b"").status == 200
    assert client.send("POST", API + "runs/log-batch", b"").error == (400, "INVALID_PARAMETER_VALUE")


def test_body_without_end_is_refused(client: Client) -> None:
    part = b" " * 1_000_000
    answer = client.send("POST", API + "runs/log-batch", (part for _ in range(MAX_BODY // len(part) + 1)))
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert str(MAX_BODY) in answer.json["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/api/2.0/mlflow/nonsense", 404),
        ("GET", "/api/2.0/mlflow/runs/get/", 404),
        ("POST", "/api/2.0/mlflow/runs/forget", 404),
        ("GET", "/ajax-api/1.0/mlflow/runs/get", 404),
        ("PUT", "/api/2.0/mlflow/runs/create", 405),
        ("PATCH", "/api/2.0/mlflow-artifacts/artifacts/x", 405),
    ],
)
def test_route_that_is_none(client: Client, method: str, path: str, status: int) -> None:
    answer = client.send(method, path)
    assert answer.error == (status, "ENDPOINT_NOT_FOUND")
    assert client.prefix.strip("/") not in answer.json["message"]


def test_unknown_fields_are_ignored(client: Client) -> None:
    answer = client.post("runs/create", experiment_id="0", workspace="x", future={"a": [1]})
    assert answer.status == 200


@pytest.mark.parametrize("value", ["é ü 日本", "'quoted' \"twice\"", "a\nb\tc", "🚀", "' OR 1=1 --"])
def test_text_survives(client: Client, run_id: str, value: str) -> None:
    client.post("runs/set-tag", run_id=run_id, key="t", value=value)
    tags = client.get("runs/get", run_id=run_id).json["run"]["data"]["tags"]
    assert {"key": "t", "value": value} in tags
    assert json.dumps(value)


def test_text_with_nul_is_refused_as_a_server_on_postgresql_must(client: Client, run_id: str) -> None:
    answer = client.post("runs/set-tag", run_id=run_id, key="t", value="a\0b")
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")


def test_query_that_names_a_field_twice(client: Client, run_id: str) -> None:
    assert client.get("runs/get", run_id=[run_id, "other"]).json["run"]["info"]["run_id"] == run_id
    assert client.get("runs/get", run_id=["other", run_id]).error == (404, "RESOURCE_DOES_NOT_EXIST")


def test_history_is_one_keys(client: Client, run_id: str) -> None:
    answer = client.get("metrics/get-history", run_id=run_id)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "Missing value for required parameter 'metric_key'" in answer.json["message"]


def test_end_at_no_time_is_none(client: Client, run_id: str) -> None:
    assert "end_time" not in client.post("runs/update", run_id=run_id, end_time=0).json["run_info"]


def test_status_of_a_model_may_be_its_number(client: Client) -> None:
    model = client.post("logged-models", experiment_id="0", name="m").json["model"]
    path = f"{API}logged-models/{model['info']['model_id']}"
    found = client.send("PATCH", path, b'{"status": 3}').json["model"]["info"]
    assert found["status"] == "LOGGED_MODEL_UPLOAD_FAILED"
    assert client.send("PATCH", path, b'{"status": "NO"}').error == (400, "INVALID_PARAMETER_VALUE")
