"""Sixteen writers of one store at once, each with its own connection, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import AlreadyExistsError, InvalidValueError
from projrun.tracking.entities import Dataset, Metric, Param, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.open import open_store
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.tracking.uri import TrackingUri, parse_tracking_uri
from tests.support.postgres import PostgresServer

THREADS = 16


class Racers:
    """A store, and threads that do the same to it at once."""

    def __init__(self, uri: TrackingUri, root: Path) -> None:
        self._uri = uri
        self._environ = {"PROJRUN_DEFAULT_ARTIFACT_ROOT": str(root)}

    def open(self) -> RunStore:
        return open_store(self._uri, self._environ, warn=print)

    def race(self, act: Callable[[RunStore, int], object]) -> list[object]:
        """What each thread's call gave, or the store's error."""
        start, results = threading.Barrier(THREADS), [None] * THREADS  # type: tuple[threading.Barrier, list[object]]

        def run(number: int) -> None:
            with closing(self.open()) as store:
                store.get_experiment("0")
                start.wait(60)
                try:
                    results[number] = act(store, number)
                except Exception as error:
                    results[number] = error

        threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def racers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Racers:
    root = tmp_path_factory.mktemp("races")
    uri = f"sqlite:///{root / 'projrun.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        uri = server.uri()
    found = Racers(parse_tracking_uri(uri), root / "artifacts")
    found.open().close()
    return found


@pytest.fixture
def store(racers: Racers) -> Iterator[RunStore]:
    with closing(racers.open()) as store:
        yield store


def kinds(results: list[object]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


def test_stores_that_are_opened_at_once_are_created_once(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    racers = Racers(parse_tracking_uri(postgres_server.uri()), tmp_path)
    assert racers.race(lambda store, number: store.get_experiment("0").name) == ["Default"] * THREADS


def test_name_of_an_experiment_is_taken_once(racers: Racers) -> None:
    results = racers.race(lambda store, number: store.create_experiment("race", tags=[Tag("a", str(number))]))
    assert kinds(results) == {"str": 1, AlreadyExistsError.__name__: THREADS - 1}


def test_experiments_have_ids_of_their_own(racers: Racers, store: RunStore) -> None:
    ids = racers.race(lambda store, number: store.create_experiment(f"race {number}"))
    assert len({*ids}) == THREADS
    locations = {store.get_experiment(str(identifier)).artifact_location for identifier in ids}
    assert {location.rpartition("/")[2] for location in locations} == {*ids}


def test_id_of_a_run_is_taken_once(racers: Racers) -> None:
    results = racers.race(lambda store, number: store.create_run("0", start_time=1, origin_id="f" * 32))
    assert kinds(results) == {"Run": 1, AlreadyExistsError.__name__: THREADS - 1}


def test_param_keeps_the_first_value(racers: Racers, store: RunStore) -> None:
    run_id = store.create_run("0", start_time=1).run_id

    def log(store: RunStore, number: int) -> None:
        store.log_batch(
            run_id, params=[Param("same", "1"), Param(f"own{number}", "1"), Param("race", str(number))]
        )

    results = racers.race(log)
    assert kinds(results) == {"NoneType": 1, InvalidValueError.__name__: THREADS - 1}
    winner = str(results.index(None))
    # A batch that is refused leaves nothing.
    assert {*store.get_run(run_id).params} == {
        Param("same", "1"), Param(f"own{winner}", "1"), Param("race", winner)
    }  # fmt: skip


def test_param_that_all_agree_on(racers: Racers, store: RunStore) -> None:
    run_id = store.create_run("0", start_time=1).run_id
    results = racers.race(
        lambda store, number: store.log_batch(run_id, params=[Param("a", "1"), Param("b", "2")])
    )
    assert results == [None] * THREADS
    assert store.get_run(run_id).params == (Param("a", "1"), Param("b", "2"))


def test_latest_metric_is_the_latest_of_all(racers: Racers, store: RunStore) -> None:
    run_id = store.create_run("0", start_time=1).run_id

    def log(store: RunStore, number: int) -> None:
        for turn in range(10):
            step = turn * THREADS + number
            # Keys in another order in each thread: none waits for one that waits for it.
            keys = ["a", "b", "c"] if number % 2 else ["c", "b", "a"]
            store.log_batch(run_id, metrics=[Metric(key, float(step), step, step) for key in keys])

    assert racers.race(log) == [None] * THREADS
    last = 10 * THREADS - 1
    assert [(metric.key, metric.value, metric.step) for metric in store.get_run(run_id).metrics] == [
        (key, float(last), last) for key in "abc"
    ]
    assert len(store.get_metric_history(run_id, "b").metrics) == 10 * THREADS


def test_tags_and_state_of_a_run(racers: Racers, store: RunStore) -> None:
    run_id = store.create_run("0", start_time=1).run_id

    def write(store: RunStore, number: int) -> None:
        keys = [f"key{place}" for place in range(20)]
        tags = [Tag(key, str(number)) for key in (keys if number % 2 else reversed(keys))]
        store.log_batch(run_id, tags=[*tags, Tag("mlflow.runName", f"name {number}")])
        store.update_run(run_id, status="FINISHED", end_time=number, run_name=f"name {number}")

    assert racers.race(write) == [None] * THREADS
    run = store.get_run(run_id)
    assert (
        len({value for key, value in run.tags if key.startswith("key")}) == 1
    )  # a batch is one transaction's
    assert run.tag("mlflow.runName") == run.run_name == f"name {run.end_time}"


def test_dataset_is_one_whoever_logs_it(racers: Racers, store: RunStore) -> None:
    run_ids = [store.create_run("0", start_time=1).run_id for _ in range(THREADS)]
    data = [Dataset(f"data {number}", "d", "local", "{}") for number in range(8)]

    def log(store: RunStore, number: int) -> None:
        part_of(store, Inputs).log_inputs(run_ids[number], data if number % 2 else data[::-1])

    results = racers.race(log)
    assert results == [None] * THREADS
    assert [len(store.get_run(run_id).datasets) for run_id in run_ids] == [8] * THREADS


def test_name_of_a_registered_model_is_taken_once(racers: Racers) -> None:
    results = racers.race(lambda store, number: part_of(store, ModelRegistry).create_registered_model("race"))
    assert kinds(results) == {"RegisteredModel": 1, AlreadyExistsError.__name__: THREADS - 1}


def test_versions_of_a_model_are_counted(racers: Racers, store: RunStore) -> None:
    part_of(store, ModelRegistry).create_registered_model("counted")

    def create(store: RunStore, number: int) -> list[str]:
        registry = part_of(store, ModelRegistry)
        return [registry.create_model_version("counted", source=f"s3://b/{number}").version for _ in range(3)]

    versions = [version for result in racers.race(create) for version in result]  # type: ignore[attr-defined]
    assert sorted(map(int, versions)) == list(range(1, 3 * THREADS + 1))
