"""What servers are asked: the rows of the server's table."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.filling import SHORT, START, Sizes
from benchmarks.served import Client, Served

SEARCHES = {
    "search, filtered": ("metrics.loss < 0.3 AND params.model = 'rf'", ["metrics.acc DESC"]),
    "search, ordered": ("", ["metrics.acc DESC"]),
}
POINTS = 1000
"""Of a large batch."""


class Subject(NamedTuple):
    """A server with what is asked of it."""

    served: Served
    client: Client
    run_id: str
    long_run: str
    experiment: str


Call = Callable[[Subject, Client, int], object]


class Row(NamedTuple):
    """A row of the table: a call, how many of them, from how many clients."""

    name: str
    call: Call
    calls: int
    clients: int = 1
    ours_alone: bool = False
    """No other server has it."""
    warm: bool = False
    """What is made once was made by the rows before it."""


def rows(calls: int, sizes: Sizes) -> list[Row]:
    """The table's rows; what takes long is called less often."""
    few, large = max(calls // 20, 3), f"log-batch {POINTS}"
    long = f"{sizes.points:,} points to 2,000"
    return [
        Row("create", _create, calls),
        Row("log-metric", _log_metric, calls),
        Row("log-parameter", _log_parameter, calls),
        Row("log-batch 10", _log_batch(10), calls),
        Row(large, _log_batch(POINTS), few),
        Row("get", _get, calls),
        *(Row(f"{name}, {sizes.runs:,} runs", _search(name), few) for name in SEARCHES),
        Row("20 pages of a search", _search("search, ordered", 20), 2, warm=True),
        Row("history, 2,000 points", _history, few),
        Row(long, _sampled(extremes=False), few),
        Row(f"{long}, extremes", _sampled(extremes=True), few, ours_alone=True),
        *(Row(f"log-metric, {clients} clients", _log_metric, calls * 2, clients) for clients in (8, 32)),
        Row(f"{large}, 8 clients", _log_batch(POINTS), few * 4, 8),
    ]


def _points(first: int, count: int) -> list[dict[str, object]]:
    return [
        {"key": f"m{step % 10}", "value": step * 0.001, "timestamp": START + step, "step": step}
        for step in range(first, first + count)
    ]


def _create(subject: Subject, client: Client, number: int) -> object:
    tags = [{"key": "mlflow.user", "value": "me"}, {"key": "team", "value": "red"}]
    return client.post("runs/create", experiment_id="0", start_time=START + number, tags=tags)


def _log_metric(subject: Subject, client: Client, number: int) -> object:
    point = {"key": "loss", "value": 0.5, "timestamp": START + number, "step": number}
    return client.post("runs/log-metric", run_id=subject.run_id, **point)


def _log_parameter(subject: Subject, client: Client, number: int) -> object:
    return client.post("runs/log-parameter", run_id=subject.run_id, key=f"p{number}", value="1")


def _log_batch(count: int) -> Call:
    def call(subject: Subject, client: Client, number: int) -> object:
        points = _points((number + 1) * count, count)
        return client.post("runs/log-batch", run_id=subject.run_id, metrics=points)

    return call


def _get(subject: Subject, client: Client, number: int) -> object:
    return client.get("runs/get", run_id=subject.run_id)


def _search(name: str, pages: int = 1) -> Call:
    """The last of so many pages of 100 runs; the call is all of them."""
    text, order = SEARCHES[name]

    def call(subject: Subject, client: Client, number: int) -> object:
        wanted = {
            "experiment_ids": [subject.experiment],
            "filter": text,
            "order_by": order,
            "max_results": 100,
        }
        token = ""
        for _ in range(pages):
            found = client.post("runs/search", **wanted, **({"page_token": token} if token else {}))
            token = found.get("next_page_token", "")
        assert found.get("runs")
        return found

    return call


def _history(subject: Subject, client: Client, number: int) -> object:
    found = client.get("metrics/get-history", run_id=subject.long_run, metric_key="short")
    assert len(found["metrics"]) == SHORT
    return found


def _sampled(*, extremes: bool) -> Call:
    def call(subject: Subject, client: Client, number: int) -> object:
        query = {"run_ids": subject.long_run, "metric_key": "long", "max_results": 2000}
        wanted = {**query, **({"extremes": "true"} if extremes else {})}
        return client.get("metrics/get-history-bulk-interval", prefix="/ajax-api", **wanted)

    return call
