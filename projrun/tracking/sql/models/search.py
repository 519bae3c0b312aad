"""The search of logged models: filters as everywhere, metrics on chosen datasets, orderings by the latest metric."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.entities import LoggedModelPage
from projrun.tracking.logged_models import DatasetChoice, ModelOrder
from projrun.tracking.search.grammar import LOGGED_MODELS, Field, Ordering, parse_filter
from projrun.tracking.sql.engine import Connection
from projrun.tracking.sql.models import rows
from projrun.tracking.sql.paging import Clause, SortKey, joined, metric_keys
from projrun.tracking.sql.queries import (
    MAX_ORDERINGS,
    Kind,
    Page,
    compare_metric,
    condition,
    keys_of,
    select_page,
)
from projrun.tracking.sql.search import in_experiments

_KIND = Kind(
    LOGGED_MODELS,
    "logged_models",
    "model_id",
    "model_id",
    {"param": "logged_model_params", "tag": "logged_model_tags"},
    (SortKey("logged_models.creation_time", int, descending=True), SortKey("logged_models.model_id", str)),
    frozenset({"experiment_id"}),
)
_ACTIVE = Clause("logged_models.lifecycle_stage = 'active'")


class Search(NamedTuple):
    """What is asked for."""

    filter_string: str = ""
    datasets: Sequence[DatasetChoice] = ()
    max_results: int = 100
    order_by: Sequence[ModelOrder] = ()
    page_token: str = ""


def search(connection: Connection, experiment_ids: Sequence[str], wanted: Search) -> LoggedModelPage:
    """The newest first where no order is given. Raises InvalidValueError."""
    limits.check_page(wanted.max_results, limits.SEARCH_RESULTS)
    if len(wanted.order_by) > MAX_ORDERINGS:
        raise InvalidValueError(f"at most {MAX_ORDERINGS} orderings, not {len(wanted.order_by)}")
    conditions = [
        _ACTIVE,
        in_experiments("logged_models", experiment_ids),
        *_conditions(connection, wanted),
    ]
    orders = [_order(place, order) for place, order in enumerate(wanted.order_by)]
    keys = [*(key for _, keys in orders for key in keys), *_KIND.ties]
    page = Page(keys, wanted.max_results, wanted.page_token)
    statement = select_page(_KIND, rows.COLUMNS, [join for join, _ in orders], conditions, page)
    found, token = page.read(connection, statement)
    return LoggedModelPage(tuple(rows.from_rows(connection, found)), token)


def _conditions(connection: Connection, wanted: Search) -> list[Clause]:
    """What must hold. A comparison of a metric counts values on the datasets; without one, any value on them does."""
    comparisons = parse_filter(wanted.filter_string, LOGGED_MODELS)
    on_datasets = [_on(dataset) for dataset in wanted.datasets]
    found = [
        _measured(
            [Clause("key = ?", (comparison.field.key,)), compare_metric("points", comparison)], on_datasets
        )
        if comparison.field.entity == "metric"
        else condition(connection.dialect, _KIND, comparison)
        for comparison in comparisons
    ]
    if on_datasets and not any(comparison.field.entity == "metric" for comparison in comparisons):
        found.append(_measured([], on_datasets))
    return found


def _measured(tests: Sequence[Clause], on_datasets: Sequence[Clause]) -> Clause:
    """That a model has a value that passes the tests, on one of the datasets if there are any."""
    chosen = joined(" OR ", on_datasets)
    every = joined(" AND ", [*tests, *([Clause(f"({chosen.text})", chosen.values)] if on_datasets else [])])
    return Clause(
        "EXISTS (SELECT 1 FROM series JOIN points ON points.series = series.id"
        f" WHERE series.model_id <> '' AND series.model_id = logged_models.model_id AND {every.text})",
        every.values,
    )


def _on(dataset: DatasetChoice) -> Clause:
    if not dataset.name:
        raise InvalidValueError("`dataset_name` in the `datasets` clause must be specified.")
    if not dataset.digest:
        return Clause("dataset_name = ?", (dataset.name,))
    return Clause("(dataset_name = ? AND dataset_digest = ?)", (dataset.name, dataset.digest))


def _order(place: int, order: ModelOrder) -> tuple[Clause, tuple[SortKey, ...]]:
    """What is joined, and what it sorts by: models without a value come last, in both directions."""
    entity, dot, key = order.field.partition(".")
    if not dot:
        attribute = LOGGED_MODELS.attributes.get(order.field)
        if attribute is None:
            raise InvalidValueError(f"Invalid order by field name: {order.field}")
        field = Field("attribute", attribute.name, attribute.numeric, attribute.lists, 0)
        return Clause(""), keys_of(_KIND, place, Ordering(field, not order.ascending))
    if entity != "metrics":
        raise InvalidValueError(f"Invalid order by field name: {order.field}. Only metrics are supported.")
    name = f"sorted_{place}"
    return _latest(name, key, order.dataset), metric_keys(name, descending=not order.ascending)


def _latest(name: str, key: str, dataset: DatasetChoice | None) -> Clause:
    """A model's latest value of a metric: by time, then step; of two runs, that with the lower id."""
    chosen = Clause("") if dataset is None else _on(dataset)
    return Clause(
        " LEFT JOIN (SELECT model_id, points.value, points.is_nan, row_number() OVER (PARTITION BY model_id"
        " ORDER BY points.timestamp DESC, points.step DESC, run_id, points.value DESC) AS place"
        " FROM series JOIN points ON points.series = series.id JOIN runs ON runs.id = series.run"
        f" WHERE model_id <> '' AND key = ?{' AND ' if dataset else ''}{chosen.text}) AS {name}"
        f" ON {name}.model_id = logged_models.model_id AND {name}.place = 1",
        (key, *chosen.values),
    )
