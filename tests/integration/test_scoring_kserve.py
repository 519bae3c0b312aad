"""The Open Inference Protocol of the scoring server: its addresses, what becomes of tensors, and its errors."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.integration.inference_cases import COLUMNS, GOOD, WRONG, tensor
from tests.support.scoring import Reply, Scoring, scoring_server, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.together("one server of many models")]


def get(scoring: Scoring, path: str) -> Reply:
    return scoring.send(path=path, method="GET", kind=None)


def infer(scoring: Scoring, body: object, model: str = "m") -> Reply:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return scoring.send(text, path=f"/v2/models/{model}/infer")


def outputs(reply: Reply) -> dict[str, Any]:
    """The outputs of an answer by their names."""
    assert reply.status == 200, reply
    value: Any = reply.value
    return {each["name"]: each for each in value["outputs"]}


@pytest.fixture(scope="module")
def scoring(
    mlflow3_python: Path, scoring_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scoring]:
    """A server with a model of each kind; `m` is its main one, in version 7. Some of them need MLflow."""
    names = ("sklearn", "every", "tensor", "tensors", "plain", "back", "back-tensor", "back-tensors")
    more = {name: (mlflow3_python, scoring_models / name) for name in names}
    log = tmp_path_factory.mktemp("kserve") / "log"
    options: dict[str, Any] = {"timeout": 20.0, "max_body": 200_000}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PROJRUN_MODEL_LOADER", "projrun")
        with scoring_server(
            mlflow3_python, scoring_models / "obedient", log, more=more, **options
        ) as scoring:
            yield scoring


def test_the_server_and_its_models_say_what_they_are(scoring: Scoring) -> None:
    server: Any = get(scoring, "/v2").value
    assert (server["name"], server["extensions"]) == ("projrun", [])
    assert get(scoring, "/v2/").status == 200
    assert get(scoring, "/v2/health/live").value == {"live": True}
    assert get(scoring, "/v2/health/ready").value == {"ready": True}
    assert get(scoring, "/v2/models/m/ready").value == {"name": "m", "ready": True}
    assert get(scoring, "/v2/models/m").value == {
        "name": "m", "versions": ["7"], "platform": "mlflow", "inputs": [], "outputs": []
    }  # fmt: skip
    every: Any = get(scoring, "/v2/models/every").value
    assert every["versions"] == []
    assert every["inputs"][3] == {"name": "float", "datatype": "FP32", "shape": [-1, 1]}
    assert every["inputs"][6]["parameters"] == {"content_type": "base64"}
    tensors: Any = get(scoring, "/v2/models/tensor").value
    assert tensors["inputs"] == [{"name": "input-0", "datatype": "FP32", "shape": [-1, 2]}]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "Application/JSON; charset=utf-8"}, 200),
        ({}, 200),  # as Triton's client
        ({"origin": "https://example.org"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_pages_of_other_sites_cannot_ask(scoring: Scoring, headers: dict[str, str], status: int) -> None:
    body = json.dumps({"inputs": [tensor("command", ["pid"])]})
    connection = HTTPConnection("127.0.0.1", scoring.port, timeout=60)
    connection.request("POST", "/v2/models/m/infer", body, headers)
    assert connection.getresponse().status == status
    connection.close()


def test_a_version_that_is_served_has_addresses(scoring: Scoring) -> None:
    body = {"inputs": [tensor("command", ["pid"])]}
    assert get(scoring, "/v2/models/m/versions/7").value == get(scoring, "/v2/models/m").value
    assert get(scoring, "/v2/models/m/versions/7/ready").status == 200
    reply = scoring.send(json.dumps(body), path="/v2/models/m/versions/7/infer")
    answer: Any = reply.value
    assert (reply.status, answer["model_name"], answer["model_version"]) == (200, "m", "7")
    assert get(scoring, "/v2/models/m/versions/8").value == {"error": "The model 'm' has version 7 here."}
    assert get(scoring, "/v2/models/every/versions/1/ready").value == {
        "error": "The model 'every' has no versions here."
    }


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v2/models/absent", "GET", 404),
        ("/v2/models/absent/infer", "POST", 404),
        ("/v2/models/absent/versions/1/infer", "POST", 404),
        ("/v2/models/m/versions", "GET", 404),
        ("/v2/models/m/versions/7/", "POST", 405),
        ("/v2/models/m/nothing", "GET", 404),
        ("/v2/models/m/versions/7/versions/7", "GET", 404),
        ("/v2/models", "GET", 404),
        ("/v2/nothing", "GET", 404),
        ("/v2/models/m/infer", "GET", 405),
        ("/v2/health/live", "POST", 405),
    ],
)
def test_what_is_not_there_is_said_in_the_protocols_shape(
    scoring: Scoring, path: str, method: str, status: int
) -> None:
    reply = scoring.send("" if method == "GET" else "{}", path=path, method=method)
    assert reply.status == status
    value: Any = reply.value
    assert list(value) == ["error"]


@pytest.mark.parametrize("model", GOOD)
def test_what_the_model_gives_back_is_what_it_was_given(model: str, scoring: Scoring) -> None:
    for inputs in GOOD[model]:
        given = {each["name"]: each for each in inputs}
        found = outputs(infer(scoring, {"inputs": inputs}, model))
        if len(given) == len(found) == 1:
            found = dict.fromkeys(given, found["output-1"])
        for name, each in given.items():
            assert found[name]["datatype"] == each["datatype"]
            assert found[name]["data"] == json.loads(json.dumps(each["data"])), name


def test_columns_are_what_they_are_by_mlflows_protocol(scoring: Scoring) -> None:
    cells = {each["name"]: each["data"][0] for each in COLUMNS}
    body = {"dataframe_records": [cells], "params": {"depth": 5}}
    mlflow: Any = scoring.send(json.dumps(body), path="/models/every/invocations").value
    inputs = [tensor(each["name"], each["data"][:1], each["datatype"]) for each in COLUMNS]
    found = outputs(infer(scoring, {"inputs": inputs, "parameters": {"depth": 5, "other": 1}}, "every"))
    assert json.loads(found["told"]["data"][0]) == mlflow["predictions"]["told"]
    assert found["told"]["parameters"] == {"content_type": "pd_json"}
    assert json.loads(found["params"]["data"][0]) == mlflow["predictions"]["params"]


def test_without_a_signature_the_form_of_the_request_decides(scoring: Scoring) -> None:
    def kind(inputs: list[Any], **more: object) -> Any:
        found = outputs(infer(scoring, {"inputs": inputs, **more}, "plain"))
        return json.loads(found["told"]["data"][0])

    assert kind([tensor("a", [1.0, 2.0])])["types"] == {"a": "float64"}
    matrix = tensor("a", [1, 2, 3, 4], "INT8", [2, 2])
    assert (kind([matrix])["kind"], kind([matrix])["type"]) == ("ndarray", "int8")
    assert kind([matrix], parameters={"content_type": "pd"})["rows"] == [["[1, 2]"], ["[3, 4]"]]
    assert kind([matrix], parameters={"content_type": "dict"}) == {
        "a": ["int8", "array([[1, 2],\n       [3, 4]], dtype=int8)"]
    }
    when = {**tensor("t", ["2026-01-31T00:00:00Z"]), "parameters": {"content_type": "datetime"}}
    assert kind([when, tensor("x", ["y"])])["types"]["t"].startswith("datetime64")


def test_an_answer_has_the_requests_id_and_only_the_wanted_outputs(scoring: Scoring) -> None:
    inputs = [tensor("x", [1, 2], "INT64", [1, 2]), tensor("y", [0.5], "FP64")]
    reply: Any = infer(
        scoring, {"inputs": inputs, "id": "42", "outputs": [{"name": "y"}]}, "back-tensors"
    ).value
    assert reply == {
        "model_name": "back-tensors",
        "outputs": [{"name": "y", "datatype": "FP64", "shape": [1, 1], "data": [0.5]}],
        "id": "42",
    }
    refused = infer(scoring, {"inputs": inputs, "outputs": [{"name": "z"}]}, "back-tensors")
    assert (refused.status, refused.value) == (400, {"error": "The model has no output 'z': it has x, y."})


@pytest.mark.parametrize(("model", "body"), WRONG)
def test_a_wrong_request_is_refused(scoring: Scoring, model: str, body: object) -> None:
    reply = infer(scoring, body, model)
    value: Any = reply.value
    assert (reply.status, list(value)) == (400, ["error"]), reply
    assert value["error"]


def test_binary_tensors_are_refused(scoring: Scoring) -> None:
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", scoring.port)
    connection.request("POST", "/v2/models/m/infer", b"{}xx", {"Inference-Header-Content-Length": "2"})
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)) == (
        400, {"error": "Binary tensors are not supported: send the data as JSON."}
    )  # fmt: skip
    connection.close()


@pytest.mark.usefixtures("light_workers")
def test_what_the_server_cannot_answer_is_said_in_the_protocols_shape(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"timeout": 3.0, "max_body": 1000, "max_waiting": 0}
    with scoring_server(mlflow3_python, scoring_models / "obedient", tmp_path / "log", **options) as scoring:

        def ask(command: str) -> Reply:
            return infer(scoring, {"inputs": [tensor("command", [command])]})

        assert infer(scoring, "x" * 1001).status == 413
        with scoring.busy() as release:
            refused = ask("pid")
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            release()
        slow = ask("sleep 9")
        assert (slow.status, slow.value) == (504, {"error": "Request processing time exceeded limit"})
        wait_until("another worker", lambda: ask("pid").status == 200)
        failed: Any = ask("raise what").value
        assert "what" in failed["error"]
        pid = int(outputs(ask("pid"))["output-1"]["data"][0])
        os.kill(pid, signal.SIGKILL)
        wait_until("it is gone", lambda: get(scoring, "/v2/models/m/ready").status == 503)
        assert get(scoring, "/v2/health/ready").value == {"ready": False}
        assert get(scoring, "/v2/health/live").status == 200
