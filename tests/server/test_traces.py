"""Traces over REST: clients of both lines, and what is refused."""

from __future__ import annotations

import json
from typing import Any

from tests.server.client import Answer, Client

API3, OLD = "/api/3.0/mlflow/traces", "/api/2.0/mlflow/traces"


def send(client: Client, method: str, path: str, **message: object) -> Answer:
    """JSON to a path."""
    return client.send(method, path, json.dumps(message).encode())


def started(client: Client, trace_id: str, **fields: object) -> Any:
    """A trace as MLflow 3's client sends it."""
    info = {
        "trace_id": trace_id,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
        "request_time": "2026-01-02T03:04:05.678Z",
        "execution_duration": "1.5s",
        "state": "OK",
        "request_preview": "in",
        "trace_metadata": {"mlflow.sourceRun": "r"},
        "tags": {"mlflow.traceName": "ask", "camelCase": "kept"},
    }
    answer = send(client, "POST", API3, trace={"trace_info": {**info, **fields}, "spans": []})
    assert answer.status == 200, answer.body
    return answer.json["trace"]["trace_info"]


def test_trace_of_a_new_client(client: Client) -> None:
    made = started(client, "tr-1", assessments=[{"assessment_name": "good", "feedback": {"value": True}}])
    (assessment,) = made.pop("assessments")
    assert (assessment["assessment_name"], assessment["trace_id"]) == ("good", "tr-1")
    assert made == {
        "trace_id": "tr-1",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
        "request_time": "2026-01-02T03:04:05.678000Z",
        "execution_duration": "1.500s",
        "state": "OK",
        "request_preview": "in",
        "trace_metadata": {"mlflow.sourceRun": "r"},
        "tags": {
            "camelCase": "kept",
            "mlflow.artifactLocation": "mlflow-artifacts:/0/traces/tr-1/artifacts",
            "mlflow.traceName": "ask",
        },
    }
    found = send(client, "GET", f"{API3}/tr-1").json["trace"]["trace_info"]
    assert found == {**made, "assessments": [assessment]}
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    page = send(client, "POST", f"{API3}/search", locations=[place], filter="name = 'ask'").json
    assert page == {"traces": [found]}
    several = send(client, "POST", f"{API3}/batchGetInfos", trace_ids=["tr-none", "tr-1"]).json
    assert several == {"trace_infos": [found]}
    elsewhere = send(client, "POST", f"{API3}/batchGetInfos", trace_ids=["tr-1"], experiment_ids=["7"]).json
    assert elsewhere == {}
    assert send(client, "GET", f"{API3}/get?trace_id=tr-1").error == (404, "RESOURCE_DOES_NOT_EXIST")


def test_trace_of_an_old_client(client: Client) -> None:
    metadata = [{"key": "mlflow.sourceRun", "value": "r"}]
    begun = send(
        client, "POST", OLD, experiment_id="0", timestamp_ms=1000, request_metadata=metadata, tags=[]
    ).json["trace_info"]
    trace_id = begun["request_id"]
    assert (begun["status"], begun["tags"][0]["key"]) == ("IN_PROGRESS", "mlflow.artifactLocation")
    tag = {"key": "mlflow.traceName", "value": "ask"}
    send(client, "PATCH", f"{OLD}/{trace_id}", timestamp_ms=1250, status="OK", tags=[tag])
    assert send(client, "PATCH", f"{OLD}/{trace_id}/tags", key="team", value="red").json == {}
    found = send(client, "GET", f"{OLD}/{trace_id}/info").json["trace_info"]
    assert found == {
        "request_id": trace_id,
        "experiment_id": "0",
        "timestamp_ms": 1000,
        "execution_time_ms": 250,
        "status": "OK",
        "request_metadata": metadata,
        "tags": [*begun["tags"], tag, {"key": "team", "value": "red"}],
    }
    page = client.get("traces", experiment_ids=["0"], filter="tags.team = 'red'").json
    assert page == {"traces": [found]}
    assert send(client, "DELETE", f"{OLD}/{trace_id}/tags", key="team").json == {}
    assert send(client, "DELETE", f"{OLD}/{trace_id}/tags", key="team").status == 404
    deleted = send(client, "POST", f"{OLD}/delete-traces", experiment_id="0", request_ids=[trace_id])
    assert deleted.json == {"traces_deleted": 1}
    assert send(client, "GET", f"{OLD}/{trace_id}/info").error == (404, "RESOURCE_DOES_NOT_EXIST")


def test_assessment_of_a_trace(client: Client) -> None:
    started(client, "tr-2")
    path = f"{API3}/tr-2/assessments"
    judged = {"assessment_name": "good", "feedback": {"value": True}, "rationale": "so"}
    made = send(client, "POST", path, assessment=judged).json["assessment"]
    mine = f"{path}/{made['assessment_id']}"
    changed = send(
        client, "PATCH", mine, assessment={"expectation": {"value": 3}}, update_mask="expectation"
    ).json["assessment"]
    assert changed == send(client, "GET", mine).json["assessment"]
    assert ("feedback" in changed, changed["expectation"], changed["rationale"]) == (
        False,
        {"value": 3},
        "so",
    )
    assert send(client, "DELETE", mine).json == {}
    assert send(client, "GET", mine).error == (404, "RESOURCE_DOES_NOT_EXIST")
    assert send(client, "POST", f"{API3}/tr-none/assessments", assessment=judged).status == 404


def test_what_is_refused(client: Client, run_id: str) -> None:
    assert send(client, "POST", API3, trace={"trace_info": {"trace_id": "tr-3"}}).status == 400
    answer = send(client, "POST", "/v1/traces")
    # MLflow's client looks for these words, and sends spans as artifacts from then on.
    assert (answer.status, "REST OTLP span logging is not supported" in answer.json["message"]) == (501, True)
    started(client, "tr-3")
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    for text in ("nothing = 'x'", "timestamp_ms = 'x'", "span.name = 'x'"):
        assert send(client, "POST", f"{API3}/search", locations=[place], filter=text).status == 400
    linked = send(client, "POST", f"{OLD}/link-to-run", trace_ids=["tr-3"], run_id=run_id)
    assert linked.json == {}
    found = send(client, "POST", f"{API3}/search", locations=[place], filter=f"run_id = '{run_id}'").json
    assert [trace["trace_id"] for trace in found["traces"]] == ["tr-3"]
