"""Pages of every search but that of runs: things that come and go between two pages move none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Metric
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.logged_models import LoggedModels, ModelOrder
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.search.pages import make_token
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store

Page = tuple[list[str], str]


class Searched(NamedTuple):
    """One kind of thing: how one is made and deleted, and a page of two of them read."""

    create: Callable[[str], object]
    delete: Callable[[str], object]
    page: Callable[[str], Page]


def _experiments(store: SqlStore) -> Searched:
    made: dict[str, str] = {}

    def page(token: str) -> Page:
        found = store.search_experiments(
            filter_string="name != 'Default'", order_by=["name DESC"], max_results=2, page_token=token
        )
        return [each.name for each in found.experiments], found.next_page_token

    return Searched(
        lambda name: made.update({name: store.create_experiment(name)}),
        lambda name: part_of(store, LifeCycle).delete_experiment(made[name]),
        page,
    )


def _registered_models(store: SqlStore) -> Searched:
    registry = part_of(store, ModelRegistry)

    def page(token: str) -> Page:
        found = registry.search_registered_models(order_by=["name DESC"], max_results=2, page_token=token)
        return [each.name for each in found.models], found.next_page_token

    return Searched(registry.create_registered_model, registry.delete_registered_model, page)


def _versions(store: SqlStore) -> Searched:
    registry = part_of(store, ModelRegistry)

    def create(name: str) -> None:
        registry.create_registered_model(name)
        registry.create_model_version(name, source="s3://bucket/model")

    def page(token: str) -> Page:
        found = registry.search_model_versions(order_by=["name DESC"], max_results=2, page_token=token)
        return [each.name for each in found.versions], found.next_page_token

    return Searched(create, registry.delete_registered_model, page)


def _logged_models(store: SqlStore, order: str = "name") -> Searched:
    models, made = part_of(store, LoggedModels), dict[str, str]()
    run_id = store.create_run("0", start_time=1).run_id

    def create(name: str) -> None:
        made[name] = models.create_logged_model("0", name=name).model_id
        metric = Metric("size", float(ord(name)), 1, 1, "", "", made[name])
        store.log_batch(run_id, metrics=[metric])

    def page(token: str) -> Page:
        found = models.search_logged_models(
            ["0"], order_by=[ModelOrder(order, ascending=False)], max_results=2, page_token=token
        )
        return [each.name for each in found.models], found.next_page_token

    return Searched(create, lambda name: models.delete_logged_model(made[name]), page)


def _by_metric(store: SqlStore) -> Searched:
    return _logged_models(store, "metrics.size")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


KINDS: Sequence[Callable[[SqlStore], Searched]] = (
    _experiments,
    _registered_models,
    _versions,
    _logged_models,
    _by_metric,
)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_do_not_move(store: SqlStore, kind: Callable[[SqlStore], Searched]) -> None:
    searched = kind(store)
    for name in "bcdef":
        searched.create(name)
    first, token = searched.page("")
    searched.create("z")
    second, token = searched.page(token)
    searched.delete("f")
    searched.delete("c")  # the last that was seen
    third, token = searched.page(token)
    assert (first, second, third, token) == (["f", "e"], ["d", "c"], ["b"], "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("token", ["x", make_token([2]), make_token([None, None])])
def test_token_of_another_search_is_refused(
    store: SqlStore, kind: Callable[[SqlStore], Searched], token: str
) -> None:
    with pytest.raises(InvalidValueError, match="page token"):
        kind(store).page(token)
