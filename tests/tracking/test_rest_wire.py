"""MLflow's JSON, read into entities: what servers send, and what no server should."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Tag
from projrun.tracking.rest import registry_wire, wire

INFO: dict[str, Any] = {"run_id": "r", "experiment_id": "0", "status": "FINISHED", "artifact_uri": "a"}


def test_run_is_read_whole() -> None:
    run = wire.run(
        {
            "info": {
                **INFO,
                "run_name": "n",
                "start_time": "1795208457010",
                "end_time": 1795208457011,
                "user_id": "u",
                "lifecycle_stage": "deleted",
                "new_in_some_version": {"x": [1]},
            },
            "data": {
                "metrics": [{"key": "m", "value": "NaN", "timestamp": "5", "step": "2", "model_id": "m-1"}],
                "params": [{"key": "p", "value": "1"}, {"key": "empty"}],
                "tags": [{"key": "t", "value": "2"}],
            },
            "inputs": {
                "dataset_inputs": [
                    {
                        "tags": [{"key": "mlflow.data.context", "value": "train"}],
                        "dataset": {
                            "name": "d",
                            "digest": "e",
                            "source_type": "s",
                            "source": "{}",
                            "schema": "[]",
                        },
                    }
                ],
                "model_inputs": [{"model_id": "m-2"}],
            },
            "outputs": {"model_outputs": [{"model_id": "m-3", "step": 4}]},
        }
    )
    assert (run.run_id, run.experiment_id, run.run_name, run.status) == ("r", "0", "n", "FINISHED")
    assert (run.start_time, run.end_time, run.lifecycle_stage) == (1795208457010, 1795208457011, "deleted")
    assert run.params == (Param("p", "1"), Param("empty", ""))
    assert run.tags == (Tag("t", "2"),)
    assert math.isnan(run.metrics[0].value)
    assert run.metrics[0][2:] == (5, 2, None, None, "m-1", None)
    context = (Tag("mlflow.data.context", "train"),)
    assert run.datasets == (Dataset("d", "e", "s", "{}", schema="[]", tags=context),)
    assert (run.model_inputs, run.model_outputs) == (("m-2",), (ModelOutput("m-3", 4),))


def test_old_servers_name_a_run_by_its_uuid() -> None:
    info = {key: value for key, value in INFO.items() if key != "run_id"}
    assert wire.run({"info": {**info, "run_uuid": "old"}}).run_id == "old"


def test_run_that_has_not_ended_has_no_end() -> None:
    assert wire.run({"info": INFO}).end_time is None
    assert wire.run({"info": {**INFO, "end_time": 0}}).end_time is None


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1, 1.0),
        (0.5, 0.5),
        ("0.25", 0.25),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        (math.inf, math.inf),
    ],
)
def test_metric_values(value: object, wanted: float) -> None:
    assert wire.metric({"key": "m", "value": value, "timestamp": 1}).value == wanted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run_id", 5.0),
        ("run_id", ""),
        ("run_id", None),
        ("experiment_id", []),
        ("status", "UNHEARD_OF"),
        ("status", 3),
        ("start_time", "soon"),
        ("start_time", {}),
        ("start_time", True),
        ("start_time", float("inf")),
        ("end_time", [1]),
        ("artifact_uri", 7),
        ("run_name", ["a"]),
        ("lifecycle_stage", 1),
    ],
)
def test_field_of_the_wrong_type_is_named(field: str, value: object) -> None:
    with pytest.raises(wire.MalformedError, match=f"'{field}'"):
        wire.run({"info": {**INFO, field: value}})


@pytest.mark.parametrize(
    "data",
    [
        {"params": {"a": "1"}},
        {"params": ["a"]},
        {"params": [{"value": "1"}]},
        {"params": [{"key": "a", "value": 1}]},
        {"metrics": [{"key": "m", "value": "high"}]},
        {"metrics": [{"key": "m", "value": 10**400}]},
        {"tags": "none"},
        [],
    ],
)
def test_data_of_the_wrong_type_is_malformed(data: object) -> None:
    with pytest.raises(wire.MalformedError):
        wire.run({"info": INFO, "data": data})


KEYS = (
    "run info data metrics params tags key value run_id status files experiment experiments experiment_id path "
    "is_dir file_size timestamp model model_version registered_model latest_versions version name next_page_token"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner),
    max_leaves=20,
)
PARSERS = [
    wire.experiment_id_answer,
    wire.experiment_answer,
    wire.experiments_answer,
    wire.run_answer,
    wire.run_info_answer,
    wire.runs_answer,
    wire.metrics_answer,
    wire.files_answer,
    registry_wire.model_version_answer,
    registry_wire.registered_model_answer,
    wire.logged_model_answer,
    registry_wire.artifact_uri_answer,
]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["run", "runs", "experiments", "metrics", "files", "model"]), JSON))
def test_any_json_is_read_or_called_malformed(value: dict[str, object]) -> None:
    for parse in PARSERS:
        try:
            parse(value)
        except wire.MalformedError as error:
            assert str(error)


def test_metric_is_written_without_what_old_servers_do_not_know() -> None:
    assert wire.metric_body(Metric("m", 0.5, 1, 2)) == {"key": "m", "value": 0.5, "timestamp": 1, "step": 2}
    assert wire.metric_body(Metric("m", 0.5, 1, model_id="m-1"))["model_id"] == "m-1"


@settings(deadline=None)
@given(st.floats())
def test_metric_value_survives_the_wire(value: float) -> None:
    back = wire.metric(wire.metric_body(Metric("m", value, 1))).value
    assert back == value or (math.isnan(back) and math.isnan(value))
