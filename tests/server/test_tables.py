"""Runs as a table over HTTP: what a page asks below `/api/projrun/1/`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.server.client import Answer, Client

OWN = "/api/projrun/1/"
LOSS = {"kind": "metric", "key": "loss"}


def ask(client: Client, route: str, **message: object) -> Answer:
    """The answer to a POST."""
    return client.send("POST", OWN + route, json.dumps(message).encode())


@pytest.fixture
def run_ids(client: Client) -> list[str]:
    """Three runs of the experiment Default, with a NaN, an infinity and a number."""
    found = []
    for place, value in enumerate(("NaN", "Infinity", 1.5)):
        created = client.post("runs/create", experiment_id="0", run_name=f"r{place}", start_time=place + 1)
        run_id = created.json["run"]["info"]["run_id"]
        client.post("runs/log-metric", run_id=run_id, key="loss", value=value, timestamp=1)
        client.post("runs/log-parameter", run_id=run_id, key="lr", value=str(place % 2))
        found.append(run_id)
    return found


def test_all_rows_in_order_and_a_window_of_cells(client: Client, run_ids: list[str]) -> None:
    found = ask(client, "runs/search", experiment_ids=["0"], order_by=[LOSS], max=2).json
    assert found["total"] == 3
    columns = [LOSS, {"kind": "attribute", "key": "run_name"}]
    window = ask(client, "runs/rows", experiment_ids=["0"], rows=found["rows"], columns=columns).json
    assert window["run_ids"] == [run_ids[2], run_ids[1]]
    assert window["columns"] == [
        {"kind": "metric", "key": "loss", "aggregate": "last", "values": [1.5, "Infinity"]},
        {"kind": "attribute", "key": "run_name", "aggregate": "last", "values": ["r2", "r1"]},
    ]
    by_id = ask(client, "runs/rows", experiment_ids=["0"], run_ids=run_ids[:1], columns=[LOSS]).json
    assert by_id["columns"][0]["values"] == ["NaN"]
    wrong = ask(client, "runs/rows", experiment_ids=["9" * 5000], run_ids=run_ids)
    assert wrong.status == 200 or wrong.error[0] < 500
    elsewhere = ask(client, "runs/rows", experiment_ids=["7"], run_ids=run_ids, columns=[LOSS]).json
    assert elsewhere["rows"] == []


def test_a_search_brings_its_first_cells_and_where_changes_begin(client: Client, run_ids: list[str]) -> None:
    columns = [LOSS, {"kind": "attribute", "key": "run_name"}]
    wanted = {"experiment_ids": ["0"], "order_by": [LOSS]}
    found = ask(client, "runs/search", **wanted, window={"rows": 2, "columns": columns}).json
    assert len(found["rows"]) == 3
    rows = ask(client, "runs/rows", experiment_ids=["0"], rows=found["rows"][:2], columns=columns).json
    assert found["window"] == rows
    client.post("runs/create", experiment_id="0", start_time=9)
    changes = ask(client, "changes", experiment_ids=["0"], since=found["token"]).json
    assert (len(changes["new"]), changes["changed"]) == (1, [])
    assert ask(client, "runs/search", **wanted).json.keys() == {"total", "rows"}


def test_a_bad_filter_says_where(client: Client) -> None:
    answer = ask(client, "runs/search", experiment_ids=["0"], filter="metrics.loss >")
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "at character 15" in answer.json["message"]


@pytest.mark.parametrize(
    "message",
    [
        {"order_by": [{"kind": "colour", "key": "x"}]},
        {"order_by": [{"kind": "attribute", "key": "x"}]},
        {"order_by": [{"kind": "metric", "key": "x", "aggregate": "median"}]},
        {"view": "gone"},
        {"max": -1},
        {"window": {"rows": -1}},
    ],
)
def test_what_is_not_known_is_refused(client: Client, message: dict[str, Any]) -> None:
    assert ask(client, "runs/search", experiment_ids=["0"], **message).error[0] == 400


def test_columns_groups_parents_and_changes(client: Client, run_ids: list[str]) -> None:
    query = urlencode({"experiment_ids": ["0"], "filter": "params.lr = '0'"}, doseq=True)
    known = client.send("GET", f"{OWN}columns?{query}").json
    assert known["total"] == known["looked_at"] == 2
    assert {"kind": "param", "key": "lr", "runs": 2, "differs": False} in known["columns"]
    by = {"kind": "param", "key": "lr"}
    groups = ask(client, "groups", experiment_ids=["0"], by=by, metrics=[LOSS]).json["groups"]
    assert [(group["value"], len(group["rows"])) for group in groups] == [("0", 2), ("1", 1)]
    assert groups[0]["metrics"] == [{"count": 1, "mean": 1.5, "std": 0.0, "min": 1.5, "max": 1.5}]
    assert groups[1]["metrics"][0]["mean"] == "Infinity"
    tags = [{"key": "mlflow.parentRunId", "value": run_ids[0]}]
    token = client.send("GET", f"{OWN}changes?experiment_ids=0").json["token"]
    client.post("runs/create", experiment_id="0", start_time=9, tags=tags)
    found = ask(client, "runs/search", experiment_ids=["0"], parents=True).json
    assert found["parents"] == [[found["rows"][0], found["rows"][-1]]]
    changes = ask(client, "changes", experiment_ids=["0"], since=token).json
    assert changes["new"] == found["rows"][:1]
