"""Requests that are answered together: each gets what it would have got alone, faster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.scoring import Reply, Scoring, scoring_server, wait_until

pytestmark = pytest.mark.integration

GOOD = (1.5, 2.5, 4.5, 8.5)


@pytest.fixture
def batching(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scoring]:
    """A model that is called with the first request of several for as long as the others need to come."""
    monkeypatch.setenv("GATE", str(tmp_path / "gate"))
    with serving(mlflow3_python, scoring_models / "rows", tmp_path) as scoring:
        yield scoring


@contextmanager
def serving(python: Path, model: Path, folder: Path) -> Iterator[Scoring]:
    with scoring_server(python, model, folder / "log", max_batch=16) as scoring:
        yield scoring


def asked(scoring: Scoring, values: Sequence[object], how: str = "") -> list[Reply]:
    """The answers to requests with one row each, which all come while the worker has another."""
    gate, reached = (scoring.log.with_name(name) for name in ("gate", "gate.reached"))
    with ThreadPoolExecutor(len(values) + 1) as threads:
        first = threads.submit(ask, scoring, 0.5, how)
        wait_until("the worker is asked", reached.exists)
        replies = threads.map(lambda value: ask(scoring, value, how), values)
        wait_until("the others wait", lambda: scoring.gauge("requests_waiting") == len(values))
        gate.touch()
        assert first.result().status == 200
        gate.unlink()
        reached.unlink()
        return list(replies)


def ask(scoring: Scoring, value: object, how: str = "") -> Reply:
    return scoring.send(
        json.dumps({"dataframe_split": {"columns": ["x"], "data": [[value]]}, "params": {"how": how}})
    )


def prove(scoring: Scoring, how: str = "") -> None:
    """Until batches are relied on."""
    for _ in range(3):
        assert [reply.status for reply in asked(scoring, GOOD, how)] == [200] * 4


def calls(scoring: Scoring) -> list[int]:
    """How many rows the model was asked for, call by call."""
    return [int(count) for count in re.findall(r"^rows (\d+)$", scoring.log.read_text("utf-8"), re.MULTILINE)]


def test_rows_that_wait_are_answered_in_one_call(batching: Scoring) -> None:
    prove(batching)
    before = len(calls(batching))
    values = [number + 0.25 for number in range(15)]
    replies = asked(batching, values)
    assert [json.loads(reply.body) for reply in replies] == [{"predictions": [value * 2]} for value in values]
    assert (
        len(calls(batching)) - before <= 4
    )  # the one that all waited for, and those that came while it was computed


def test_first_batches_are_checked_against_what_each_gets_alone(batching: Scoring) -> None:
    replies = asked(batching, GOOD)
    assert [reply.value for reply in replies] == [{"predictions": [value * 2]} for value in GOOD]
    assert calls(batching).count(1) >= 5


def test_an_error_of_one_is_its_own(batching: Scoring) -> None:
    prove(batching)
    alone = ask(batching, 13.0)
    assert alone.status == 400
    replies = asked(batching, (1.5, 13.0, 2.5))
    assert [reply.status for reply in replies] == [200, 400, 200]
    told = [json.loads(reply.body) for reply in (alone, replies[1])]
    assert told[0]["message"] == told[1]["message"]
    assert max(calls(batching)) >= 3


def test_a_request_that_kills_the_worker_costs_no_other_its_answer(batching: Scoring) -> None:
    prove(batching)
    replies = asked(batching, (1.5, 666.0, 2.5))
    assert [reply.status for reply in replies] == [200, 503, 200]
    assert asked(batching, GOOD)[0].status == 200
    assert "one by one" not in batching.log.read_text("utf-8")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("centred", "its predictions for a row depend on the rows beside it"),
        ("mean", "it does not give one prediction for each row"),
        ("single", "it does not give one prediction for each row"),
    ],
)
def test_a_model_that_looks_at_rows_together_gets_them_one_by_one(
    how: str, reason: str, batching: Scoring
) -> None:
    alone = [ask(batching, value, how).body for value in GOOD]
    for _ in range(3):
        assert [reply.body for reply in asked(batching, GOOD, how)] == alone
    log = batching.log.read_text("utf-8")
    assert (
        log.count(
            f"warning: requests with 'dataframe_split' are answered one by one, without --max-batch: {reason}"
        )
        == 1
    )
    before = len(calls(batching))
    asked(batching, GOOD, how)
    assert calls(batching)[before:] == [1] * 5


def test_requests_of_other_kinds_stay_apart(batching: Scoring) -> None:
    prove(batching)
    before = len(calls(batching))
    replies = asked(batching, (1.5, 3, 2.5, "text", None))
    assert [reply.status for reply in replies] == [
        ask(batching, value).status for value in (1.5, 3, 2.5, "text", None)
    ]
    assert max(calls(batching)[before:]) <= 2
