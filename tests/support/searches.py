"""Runs with few different values, many of them missing; searches of them, and what each finds by a plain sort."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.runs import RunStore

RUNS = 60
VALUES = [0.1, 0.5, 0.5, 2.0, math.inf, -math.inf, math.nan, None]


def fill(store: RunStore) -> None:
    """Runs of two experiments, the default one and `other`."""
    choice = random.Random(3).choice
    other = store.create_experiment("other")
    for number in range(RUNS):
        experiment = other if number % 4 == 0 else "0"
        run = store.create_run(experiment, start_time=number // 3, run_name=choice("pqr"))
        loss, text = choice(VALUES), choice(["a", "b", "b" * 300, None])
        metrics = [] if loss is None else [Metric("loss", loss, 1), Metric("size", number % 7, 1)]
        params = [] if text is None else [Param("kind", text)]
        store.log_batch(run.run_id, metrics=metrics, params=params, tags=[Tag("team", choice("xyz"))])
        if number % 5:
            store.update_run(run.run_id, status=choice(["FINISHED", "FAILED"]), end_time=number % 4)


def value_of(run: Run, field: str) -> float | str | None:
    entity, _, key = field.partition(".")
    if entity == "metrics":
        return next((metric.value for metric in run.metrics if metric.key == key), None)
    if entity == "attributes":
        return getattr(run, key)  # type: ignore[no-any-return]
    pairs = {**dict(run.params), **dict(run.tags)}
    return pairs.get(key)


def expected(runs: Sequence[Run], keep: Callable[[Run], bool], order: Sequence[str]) -> list[str]:
    """As MLflow sorts: what is missing last, NaN before it, then as the runs are given."""
    found = list(runs)
    for text in reversed(order):
        field, _, direction = text.partition(" ")

        def rank(run: Run, field: str = field) -> int:
            value = value_of(run, field)
            return 2 if value is None else int(isinstance(value, float) and math.isnan(value))

        def present(run: Run, field: str = field) -> float | str:
            return value_of(run, field)  # type: ignore[return-value]

        with_value = sorted((run for run in found if not rank(run)), key=present, reverse=direction == "DESC")
        found = with_value + [run for number in (1, 2) for run in found if rank(run) == number]
    return [run.run_id for run in found if keep(run)]


def pages(
    store: RunStore, experiments: Sequence[str], text: str, order: Sequence[str], size: int
) -> list[str]:
    found: list[str] = []
    token = ""
    while True:
        page = store.search_runs(
            experiments, filter_string=text, order_by=order, max_results=size, page_token=token
        )
        found += [run.run_id for run in page.runs]
        token = page.next_page_token
        if not token:
            return found


def number(run: Run, field: str) -> float:
    value = value_of(run, field)
    return math.nan if value is None else float(value)


FILTERS: list[tuple[str, Callable[[Run], bool]]] = [
    ("", lambda run: True),
    ("metrics.loss < 1", lambda run: number(run, "metrics.loss") < 1),
    ("metrics.loss >= 0.5 AND params.kind = 'a'",
     lambda run: number(run, "metrics.loss") >= 0.5 and value_of(run, "params.kind") == "a"),
    (f"params.kind = '{'b' * 300}'", lambda run: value_of(run, "params.kind") == "b" * 300),
    ("tags.team != 'x' AND attributes.status = 'FAILED'",
     lambda run: value_of(run, "tags.team") != "x" and run.status == "FAILED"),
    ("attributes.run_name = 'p' AND metrics.size > 2",
     lambda run: run.run_name == "p" and number(run, "metrics.size") > 2),
    ("params.kind LIKE 'b%' AND attributes.run_name LIKE 'p%'",
     lambda run: str(value_of(run, "params.kind")).startswith("b") and run.run_name == "p"),
    ("params.kind IS NULL", lambda run: value_of(run, "params.kind") is None),
]  # fmt: skip
ORDERS = [
    (), ("metrics.loss ASC",), ("metrics.loss DESC",), ("params.kind ASC", "metrics.loss DESC"), ("tags.team DESC",),
    ("attributes.end_time ASC",), ("attributes.end_time DESC", "metrics.size ASC"), ("attributes.start_time ASC",),
    ("attributes.run_name DESC", "tags.team ASC"), ("metrics.absent ASC", "metrics.size DESC"),
    ("attributes.status ASC", "metrics.size DESC"),
]  # fmt: skip
