"""GraphQL: the queries that MLflow's page and tests send, and what must not bring the server down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from projrun.errors import InvalidValueError
from projrun.server.graphql.language import Field, parse
from tests.server.client import Client


def ask(client: Client, query: str, **variables: object) -> Any:
    """What a query is answered."""
    body = json.dumps({"query": query, "variables": variables, "operationName": None}).encode()
    answer = client.send("POST", "/graphql", body)
    assert answer.status == 200
    return answer.json


RUN = """
query GetRun($data: MlflowGetRunInput!) @component(name: "MLflow.ExperimentRunTracking") {
  mlflowGetRun(input: $data) {
    apiError { helpUrl code message }
    run {
      info { runName status runUuid experimentId artifactUri endTime lifecycleStage startTime userId }
      experiment { experimentId name tags { key value } artifactLocation lifecycleStage lastUpdateTime }
      modelVersions { status version name source }
      data { metrics { key value step timestamp } params { key value } tags { key value } }
      inputs { datasetInputs { dataset { digest name } tags { key value } } modelInputs { modelId } }
      outputs { modelOutputs { modelId step } }
    }
  }
}"""


def test_run_as_the_page_asks_for_it(client: Client, run_id: str) -> None:
    client.post("runs/log-metric", run_id=run_id, key="m", value=1.5, timestamp=7, step=3)
    client.post("runs/log-metric", run_id=run_id, key="n", value="NaN", timestamp=7, step=3)
    client.post("registered-models/create", name="model")
    source = f"mlflow-artifacts:/0/{run_id}/artifacts"
    client.post("model-versions/create", name="model", source=source, run_id=run_id)
    answer = ask(client, RUN, data={"runId": run_id})
    assert answer["errors"] is None
    run = answer["data"]["mlflowGetRun"]["run"]
    assert answer["data"]["mlflowGetRun"]["apiError"] is None
    assert run["info"]["runUuid"] == run_id
    assert run["info"]["startTime"] == "5"
    assert run["info"]["endTime"] is None
    assert run["experiment"]["name"] == "Default"
    assert run["experiment"]["tags"] == []
    assert run["modelVersions"] == [{"status": "READY", "version": "1", "name": "model", "source": source}]
    assert {"key": "m", "value": 1.5, "step": "3", "timestamp": "7"} in run["data"]["metrics"]
    assert {"key": "n", "value": None, "step": "3", "timestamp": "7"} in run["data"]["metrics"]
    assert run["inputs"] == {"datasetInputs": [], "modelInputs": []}


def test_aliases_fragments_and_names_of_types(client: Client, run_id: str) -> None:
    query = """
    # two runs
    query Two($id: String = "none") { one: mlflowGetRun(input: {runId: $id}) { ...R __typename } }
    fragment R on MlflowGetRunResponse { run { ... on MlflowRun { info { id: runId __typename } } } }
    """
    answer = ask(client, query, id=run_id)["data"]["one"]
    assert answer == {
        "run": {"info": {"id": run_id, "__typename": "MlflowRunInfo"}}, "__typename": "MlflowGetRunResponse"
    }  # fmt: skip


def test_searches_and_echoes(client: Client, run_id: str) -> None:
    found = ask(
        client,
        "mutation M($d: MlflowSearchRunsInput!) { mlflowSearchRuns(input: $d) { runs { info { runId } } } }",
        d={"experimentIds": ["0"], "filter": "", "maxResults": 5},
    )
    assert found == {"data": {"mlflowSearchRuns": {"runs": [{"info": {"runId": run_id}}]}}, "errors": None}
    files = ask(
        client, f'{{ mlflowListArtifacts(input: {{runId: "{run_id}"}}) {{ files {{ path }} rootUri }} }}'
    )
    assert files["data"]["mlflowListArtifacts"]["files"] == []
    assert ask(client, '{ test(inputString: "abc") { output } }')["data"] == {"test": {"output": "abc"}}
    assert ask(client, 'mutation { testMutation(inputString: "a") { output } }')["errors"] is None


def test_errors(client: Client) -> None:
    answer = ask(client, '{ mlflowGetRun(input: {runId: "none"}) { run { info { runId } } } }')
    assert answer["data"] == {"mlflowGetRun": None}
    assert "none" in answer["errors"][0]
    for query, message in (
        ("{ other { x } }", "Cannot query field 'other' on type 'Query'."),
        ("{ test(inputString: 1) }", "must have a selection of subfields"),
        ("{ test(inputString: 1) { output ...F } }", "Unknown fragment 'F'."),
        (
            "{ " + " ".join(f"a{n}: test {{ output }}" for n in range(11)) + " }",
            "at most 10 root fields, got 11",
        ),
        ("{ test { output } ", "Unexpected '<EOF>'"),
        ("subscription { x }", "Unexpected 'subscription'"),
        ("", "no such operation"),
    ):
        answer = ask(client, query)
        assert answer["data"] is None
        assert message in answer["errors"][0]
    assert client.send("POST", "/graphql", b"[]").error == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "text",
    [
        "{ a " * 50,
        "{ ...F } fragment F on X { ...F }",
        "{ ...A } "
        + " ".join(
            f"fragment {c} on X {{ {f'...{d} ' * 50} }}" for c, d in zip("ABCDEF", "BCDEFG", strict=True)
        )
        + " fragment G on X { a }",
        "{ a(x: " + "[" * 50 + "1" + "]" * 50 + ") }",
        "{" + " a" * 2000 + "}",
        "{ a @skip(if: true) }",
        '{ a(x: "\\u00") }',
        "{ a; }",
        "x" * 200_000,
    ],
)
def test_query_that_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse(text, {})


def test_values() -> None:
    query = parse(
        'query Q($a: [Int!]! = [1, 2], $b: X) { f(t: "a\\"b", n: -1.5, w: WORD, y: true, z: null, l: $a, o: {p: $b}) }',
        {"b": {"c": 1}},
    )
    values = {"t": 'a"b', "n": -1.5, "w": "WORD", "y": True, "z": None, "l": [1, 2], "o": {"p": {"c": 1}}}
    assert query.fields == (Field("f", "f", values, ()),)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "gateway/endpoints/list", {"endpoints": []}),
        ("GET", "scorers/list", {"scorers": []}),
        ("GET", "workspaces", {"workspaces": []}),
        ("POST", "datasets/search", {"datasets": []}),
    ],
)
def test_what_there_is_none_of(client: Client, method: str, path: str, body: object) -> None:
    answer = client.send(method, f"/ajax-api/3.0/mlflow/{path}", b"{}" if method == "POST" else None)
    assert (answer.status, answer.json) == (200, body)


@pytest.mark.parametrize(
    "path",
    ["review-queues", "jobs/1", "mcp-servers", "webhooks", "gateway/budgets/list", "prompt-optimization/x"],
)
def test_what_is_left_out(client: Client, path: str) -> None:
    for version in ("2.0", "3.0"):
        assert client.send("GET", f"/ajax-api/{version}/mlflow/{path}").error == (404, "ENDPOINT_NOT_FOUND")


def test_server_says_what_it_can(client: Client) -> None:
    info = client.send("GET", "/ajax-api/3.0/mlflow/server-info").json
    assert info["store_type"] == "SqlStore"
    assert info["multipart_uploads_enabled"] is False
    assert info["features_enabled"] == {"gateway": False}
