"""The OpenAPI document of the scoring server: valid, and true of what models take and give."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.inference_cases import COLUMNS
from tests.support.scoring import Scoring, scoring_server
from tests.support.virtualenvs import built_environment

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]

CHECK = """
import json, sys
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
document, values = json.load(sys.stdin)
OpenAPIV31SpecValidator(document).validate()
def holds(name, value):
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document}).is_valid(value)
print(json.dumps([holds(*value) for value in values]))
"""
CELLS = {
    "boolean": True, "integer": 1, "long": 2, "float": 1.5, "double": 2.5, "binary": "eA==",
    "datetime": "2026-01-31T00:00:00",
}  # fmt: skip
GOOD: dict[str, tuple[object, ...]] = {
    "sklearn": (
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2.0], [3, 4]]}},
        {"dataframe_split": {"columns": ["b", "a"], "index": [3], "data": [[1.0, 2.0]]}},
        {"dataframe_records": [{"a": 1.0, "b": 2.0}]},
        {"instances": [{"a": 1.0, "b": 2.0}]},
        {"inputs": {"a": [1.0, 2.0], "b": [1.0, 2.0]}},
    ),
    "every": (
        {"dataframe_records": [CELLS, {**CELLS, "string": "x"}, {**CELLS, "string": None}]},
        {"dataframe_records": [CELLS], "params": {"depth": 5, "words": ["x", "y"]}},
    ),
    "tensor": ({"inputs": [[1.0, 2.0]]}, {"instances": [[1.0, 2.0], [3.0, 4.0]]}),
    "tensors": (
        {"inputs": {"x": [[1, 2]], "y": [1.5]}},
        {"instances": [{"x": [1, 2], "y": 1.5}, {"x": [1, 2], "y": 1.5}]},
    ),
    "plain": (
        {"inputs": [1]},
        {"dataframe_split": {"columns": ["x"], "data": [["y"]]}},
        {"instances": [1, 2]},
    ),
}
"""What the models take."""
WRONG: dict[str, tuple[object, ...]] = {
    "sklearn": (
        {},
        {"dataframe_split": {"columns": ["a"]}},
        {"dataframe_records": [{"a": 1.0}]},
        {"inputs": {"a": [1.0]}},
        {"instances": [{"a": "x", "b": 2.0}]},
        {"inputs": {"a": [1.0], "b": [2.0]}, "instances": [{"a": 1.0, "b": 2.0}]},
    ),
    "every": (
        {"dataframe_records": [{**CELLS, "long": "x"}]},
        {"dataframe_records": [CELLS], "params": {"depth": "x"}},
    ),
    "tensor": ({"inputs": [[1.0, 2.0, 3.0]]}, {"instances": [["x", "y"]]}),
    "tensors": ({"inputs": {"x": [[1, 2]]}}, {"inputs": {"x": [[1, 2, 3]], "y": [1.5]}}),
    "plain": ({},),
}
"""What they refuse."""


def document(scoring: Scoring) -> Any:
    reply = scoring.send(path="/openapi.json", method="GET", kind=None)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    return reply.value


def checked(found: Any, values: list[tuple[str, Any]]) -> list[bool]:
    """Whether values hold by a schema of a document, which is valid."""
    python = built_environment("openapi", ("openapi-spec-validator>=0.7,<1", "jsonschema>=4,<5"))
    done = subprocess.run(
        [python, "-c", CHECK], input=json.dumps([found, values]), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("model", GOOD)
def test_what_the_document_allows_is_what_the_model_takes(
    model: str, mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    with scoring_server(mlflow3_python, scoring_models / model, tmp_path / "log") as scoring:
        good = [(body, scoring.send(json.dumps(body))) for body in GOOD[model]]
        wrong = [(body, scoring.send(json.dumps(body))) for body in WRONG[model]]
        found = document(scoring)
    assert [reply.status for _, reply in good] == [200] * len(good), good
    assert {reply.status for _, reply in wrong} == {400}, wrong
    true = [("Request", body) for body, _ in good]
    true += [("Answer", reply.value) for _, reply in good]
    true += [("Error", reply.value) for _, reply in wrong]
    false = [("Request", body) for body, _ in wrong]
    assert checked(found, [*true, *false]) == [True] * len(true) + [False] * len(false)


def test_the_example_of_the_model_is_that_of_the_document(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    with scoring_server(mlflow3_python, scoring_models / "example", tmp_path / "log") as scoring:
        found = document(scoring)
        content = found["paths"]["/invocations"]["post"]["requestBody"]["content"]
        example = content["application/json"]["example"]
        assert example == {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 1.0]]}}
        assert checked(found, [("Request", example)]) == [True]
        assert scoring.send(json.dumps(example)).status == 200


def test_the_document_has_the_open_inference_protocol(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    more = {"a b": (mlflow3_python, scoring_models / "back")}
    body = {"inputs": list(COLUMNS), "id": "1", "outputs": [{"name": "long"}]}
    with scoring_server(mlflow3_python, scoring_models / "plain", tmp_path / "log", more=more) as scoring:
        found = document(scoring)
        for path, methods in found["paths"].items():
            (method,) = methods
            assert scoring.send(path=path, method=method.upper()).status not in (404, 405), path
        reply = scoring.send(json.dumps(body), path="/v2/models/a%20b/infer")
        refused = scoring.send("{}", path="/v2/models/a%20b/infer")
    assert reply.status == 200
    values = [("InferRequest", body), ("InferAnswer", reply.value), ("InferError", refused.value)]
    assert checked(found, [*values, ("InferRequest", {}), ("InferRequest", {"inputs": [{"name": "a"}]})]) == [
        True,
        True,
        True,
        False,
        False,
    ]
