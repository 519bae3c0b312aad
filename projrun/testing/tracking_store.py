"""The conformance kit of tracking stores: subclass it, provide the store, and pytest does the rest.

    class TestMyStore(TrackingStoreConformance):
        @pytest.fixture
        def store(self, tmp_path: Path) -> Iterator[TrackingStore]: ...
        def delete_experiment(self, store, experiment_id): ...
        def delete_run(self, store, run_id): ...

Every test was tried against MLflow's own servers, 2.22 and 3.17: it holds what both do.
"""

from __future__ import annotations

import math
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from projrun.tracking.entities import Experiment, Metric, Param, Run, Tag, ViewType
from projrun.tracking.store import TrackingStore

NO_EXPERIMENT = "987654321"
NO_RUN = "0123456789abcdef0123456789abcdef"
AWKWARD = "é ü 日本 'single' \"double\" $(x) `y` \\ {z}\nsecond line\ttab 🚀"


def unique(prefix: str) -> str:
    """A name that no earlier test used: a real server keeps what it was given."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class ConformanceBase:
    """What the parts of the kit share: the store, an experiment and a run in it."""

    @pytest.fixture
    def store(self) -> Iterator[TrackingStore]:
        """The store under test, open; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `store`")

    def delete_experiment(self, store: TrackingStore, experiment_id: str) -> None:
        """Mark an experiment as deleted, by whatever way the store has."""
        raise NotImplementedError

    def delete_run(self, store: TrackingStore, run_id: str) -> None:
        """Mark a run as deleted, by whatever way the store has."""
        raise NotImplementedError

    @pytest.fixture
    def experiment_id(self, store: TrackingStore) -> str:
        """An experiment of this test alone."""
        return store.create_experiment(unique("experiment"))

    @pytest.fixture
    def run(self, store: TrackingStore, experiment_id: str) -> Run:
        """A run of this test alone."""
        return store.create_run(experiment_id, run_name="first", user_id="someone", start_time=1_000)


class ExperimentConformance(ConformanceBase):
    """Experiments."""

    def test_experiment_is_found_by_id_and_by_name(self, store: TrackingStore) -> None:
        name = unique("found é")
        identifier = store.create_experiment(name, tags=[Tag("team", "a")])
        found = store.get_experiment(identifier)
        assert (found.experiment_id, found.name, found.lifecycle_stage) == (identifier, name, "active")
        assert Tag("team", "a") in found.tags
        assert found.artifact_location
        assert found.creation_time > 0
        assert store.get_experiment_by_name(name) == found

    def test_default_experiment_exists(self, store: TrackingStore) -> None:
        assert store.get_experiment("0").name == "Default"

    def test_unknown_name_is_none(self, store: TrackingStore) -> None:
        assert store.get_experiment_by_name(unique("absent")) is None

    def test_unknown_id_is_not_found(self, store: TrackingStore) -> None:
        with pytest.raises(NotFoundError):
            store.get_experiment(NO_EXPERIMENT)

    def test_name_is_taken_once(self, store: TrackingStore) -> None:
        name = unique("taken")
        store.create_experiment(name)
        with pytest.raises(AlreadyExistsError):
            store.create_experiment(name)

    def test_empty_name_is_refused(self, store: TrackingStore) -> None:
        with pytest.raises(InvalidValueError):
            store.create_experiment("")

    def test_tag_is_overwritten(self, store: TrackingStore, experiment_id: str) -> None:
        store.set_experiment_tag(experiment_id, Tag("stage", "one"))
        store.set_experiment_tag(experiment_id, Tag("stage", AWKWARD))
        tags = store.get_experiment(experiment_id).tags
        assert [tag.value for tag in tags if tag.key == "stage"] == [AWKWARD]

    def test_search_pages_through_all(self, store: TrackingStore) -> None:
        prefix = unique("paged")
        made = {store.create_experiment(f"{prefix}-{number}") for number in range(5)}
        found: list[str] = []
        token = ""
        while True:
            page = store.search_experiments(
                filter_string=f"name LIKE '{prefix}%'", max_results=2, page_token=token
            )
            assert len(page.experiments) <= 2
            found += [experiment.experiment_id for experiment in page.experiments]
            token = page.next_page_token
            if not token:
                break
        assert len(found) == 5
        assert set(found) == made

    def test_deleted_experiment_is_seen_where_asked_for(
        self, store: TrackingStore, experiment_id: str
    ) -> None:
        name = store.get_experiment(experiment_id).name
        self.delete_experiment(store, experiment_id)
        assert store.get_experiment(experiment_id).lifecycle_stage == "deleted"
        by_name = store.get_experiment_by_name(name)
        assert by_name is not None
        assert by_name.lifecycle_stage == "deleted"
        assert _experiments(store, name, "ACTIVE_ONLY") == ()
        assert len(_experiments(store, name, "DELETED_ONLY")) == 1
        assert len(_experiments(store, name, "ALL")) == 1
        with pytest.raises(AlreadyExistsError):
            store.create_experiment(name)


class RunConformance(ConformanceBase):
    """Runs and their states."""

    def test_new_run_is_running(self, store: TrackingStore, experiment_id: str) -> None:
        run = store.create_run(
            experiment_id, run_name="mine", user_id="someone", start_time=1_234, tags=[Tag("a", AWKWARD)]
        )
        found = store.get_run(run.run_id)
        assert found.run_id == run.run_id
        assert found.experiment_id == experiment_id
        assert (found.run_name, found.user_id, found.status) == ("mine", "someone", "RUNNING")
        assert (found.start_time, found.end_time, found.lifecycle_stage) == (1_234, None, "active")
        assert found.artifact_uri == run.artifact_uri
        assert run.run_id in run.artifact_uri
        assert found.tag("a") == AWKWARD
        assert found.tag("mlflow.runName") == "mine"

    def test_run_without_a_name_gets_one(self, store: TrackingStore, experiment_id: str) -> None:
        assert store.create_run(experiment_id, start_time=1).run_name

    def test_run_needs_its_experiment(self, store: TrackingStore) -> None:
        with pytest.raises(NotFoundError):
            store.create_run(NO_EXPERIMENT, start_time=1)

    def test_unknown_run_is_not_found(self, store: TrackingStore) -> None:
        with pytest.raises(NotFoundError):
            store.get_run(NO_RUN)

    @pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED", "SCHEDULED", "RUNNING"])
    def test_status_and_end_are_updated(self, store: TrackingStore, run: Run, status: str) -> None:
        updated = store.update_run(run.run_id, status=status, end_time=5_000)  # type: ignore[arg-type]
        assert (updated.run_id, updated.status, updated.end_time) == (run.run_id, status, 5_000)
        found = store.get_run(run.run_id)
        assert (found.status, found.end_time, found.run_name) == (status, 5_000, "first")

    def test_renaming_changes_the_tag_too(self, store: TrackingStore, run: Run) -> None:
        store.update_run(run.run_id, run_name="second")
        found = store.get_run(run.run_id)
        assert (found.run_name, found.status) == ("second", "RUNNING")
        assert found.tag("mlflow.runName") == "second"

    def test_update_of_an_unknown_run_is_not_found(self, store: TrackingStore) -> None:
        with pytest.raises(NotFoundError):
            store.update_run(NO_RUN, status="FINISHED")

    def test_deleted_run_is_seen_where_asked_for(self, store: TrackingStore, run: Run) -> None:
        self.delete_run(store, run.run_id)
        assert store.get_run(run.run_id).lifecycle_stage == "deleted"
        experiments = [run.experiment_id]
        assert store.search_runs(experiments).runs == ()
        assert len(store.search_runs(experiments, view_type="DELETED_ONLY").runs) == 1
        assert len(store.search_runs(experiments, view_type="ALL").runs) == 1
        with pytest.raises(InvalidValueError):
            store.log_batch(run.run_id, params=[Param("a", "1")])


class LoggingConformance(ConformanceBase):
    """Params, tags and metrics."""

    def test_params_are_kept_as_written(self, store: TrackingStore, run: Run) -> None:
        params = {"alpha": "0.10", "text": AWKWARD, "empty": "", "a/b.c-d e:f": "1e-5"}
        store.log_batch(run.run_id, params=[Param(*item) for item in params.items()])
        assert dict(store.get_run(run.run_id).params) == params

    def test_param_is_written_once(self, store: TrackingStore, run: Run) -> None:
        store.log_batch(run.run_id, params=[Param("alpha", "1")])
        store.log_batch(run.run_id, params=[Param("alpha", "1")])
        with pytest.raises(InvalidValueError):
            store.log_batch(run.run_id, params=[Param("alpha", "2")])
        assert store.get_run(run.run_id).params == (Param("alpha", "1"),)

    def test_param_key_must_be_a_path_of_words(self, store: TrackingStore, run: Run) -> None:
        with pytest.raises(InvalidValueError):
            store.log_batch(run.run_id, params=[Param("no#such\nname", "1")])

    def test_param_value_of_the_longest_length_is_kept(self, store: TrackingStore, run: Run) -> None:
        value = "x" * store.param_value_limit()
        store.log_batch(run.run_id, params=[Param("long", value)])
        assert store.get_run(run.run_id).params == (Param("long", value),)

    def test_batch_of_any_size_is_logged(self, store: TrackingStore, run: Run) -> None:
        params = [Param(f"p{number}", str(number)) for number in range(130)]
        tags = [Tag(f"t{number}", str(number)) for number in range(130)]
        metrics = [Metric("loss", float(number), number, number) for number in range(1_100)]
        store.log_batch(run.run_id, metrics=metrics, params=params, tags=tags)
        found = store.get_run(run.run_id)
        assert set(found.params) == set(params)
        assert set(tags) <= set(found.tags)
        assert _values(found) == {"loss": 1_099.0}
        assert len(_history(store, run.run_id, "loss")) == 1_100

    def test_nothing_is_logged_for_nothing(self, store: TrackingStore, run: Run) -> None:
        before = store.get_run(run.run_id)
        store.log_batch(run.run_id)
        assert store.get_run(run.run_id) == before

    def test_unknown_run_takes_nothing(self, store: TrackingStore) -> None:
        with pytest.raises(NotFoundError):
            store.log_batch(NO_RUN, params=[Param("a", "1")])

    def test_tag_is_set_overwritten_and_deleted(self, store: TrackingStore, run: Run) -> None:
        store.set_tag(run.run_id, Tag("note", "one"))
        store.set_tag(run.run_id, Tag("note", AWKWARD))
        assert store.get_run(run.run_id).tag("note") == AWKWARD
        store.log_batch(run.run_id, tags=[Tag("note", "three")])
        assert store.get_run(run.run_id).tag("note") == "three"
        store.delete_tag(run.run_id, "note")
        assert store.get_run(run.run_id).tag("note") is None
        with pytest.raises(NotFoundError):
            store.delete_tag(run.run_id, "note")

    def test_latest_metric_is_that_of_the_highest_step(self, store: TrackingStore, run: Run) -> None:
        logged = [
            Metric("loss", 0.5, 10, 2),
            Metric("loss", 0.9, 30, 1),
            Metric("loss", 0.4, 20, 2),
            Metric("loss", 7.0, 40, -1),
        ]
        for metric in logged:
            store.log_batch(run.run_id, metrics=[metric])
        (latest,) = store.get_run(run.run_id).metrics
        assert (latest.value, latest.timestamp, latest.step) == (0.4, 20, 2)
        history = _history(store, run.run_id, "loss")
        assert {(item.value, item.timestamp, item.step) for item in history} == {
            (item.value, item.timestamp, item.step) for item in logged
        }

    def test_metric_that_is_sent_twice_counts_once(self, store: TrackingStore, run: Run) -> None:
        for _ in range(2):
            store.log_batch(run.run_id, metrics=[Metric("loss", 0.5, 10, 2)])
        assert len(_history(store, run.run_id, "loss")) == 1

    def test_metric_values_that_are_no_numbers_survive(self, store: TrackingStore, run: Run) -> None:
        values = {"nan": math.nan, "up": math.inf, "down": -math.inf, "tiny": 5e-324, "zero": 0.0}
        store.log_batch(run.run_id, metrics=[Metric(key, value, 1) for key, value in values.items()])
        found = _values(store.get_run(run.run_id))
        assert math.isnan(found["nan"])
        # MLflow's own stores keep an infinity as the largest double.
        assert found["up"] in (math.inf, sys.float_info.max)
        assert found["down"] in (-math.inf, -sys.float_info.max)
        assert (found["tiny"], found["zero"]) == (5e-324, 0.0)
        assert [math.isnan(item.value) for item in _history(store, run.run_id, "nan")] == [True]

    def test_history_pages_through_all(self, store: TrackingStore, run: Run) -> None:
        metrics = [Metric("loss", float(number), number, number) for number in range(7)]
        store.log_batch(run.run_id, metrics=metrics)
        values = [item.value for item in _history(store, run.run_id, "loss", page_size=3)]
        assert values == [float(number) for number in range(7)]

    def test_history_of_an_unknown_metric_is_empty(self, store: TrackingStore, run: Run) -> None:
        assert store.get_metric_history(run.run_id, "absent").metrics == ()


class SearchConformance(ConformanceBase):
    """The search of runs."""

    @pytest.fixture
    def runs(self, store: TrackingStore, experiment_id: str) -> list[str]:
        """Five runs: `alpha` and `loss` count from 0, the first two are of kind `even` and `odd`, and so on."""
        made = [store.create_run(experiment_id, start_time=1_000 + number).run_id for number in range(5)]
        for number, run_id in enumerate(made):
            store.log_batch(
                run_id,
                params=[Param("alpha", str(number))],
                metrics=[Metric("loss", float(number), 1)],
                tags=[Tag("kind", "odd" if number % 2 else "even")],
            )
        store.update_run(made[4], status="FAILED", end_time=9)
        return made

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("", [0, 1, 2, 3, 4]),
            ("params.alpha = '3'", [3]),
            ("params.alpha != '3'", [0, 1, 2, 4]),
            ("metrics.loss > 2", [3, 4]),
            ("metrics.loss <= 2 and tags.kind = 'even'", [0, 2]),
            ("attributes.status = 'FAILED'", [4]),
            ("tags.kind LIKE 'o%'", [1, 3]),
            ("params.absent = 'x'", []),
        ],
    )
    def test_filter(
        self, store: TrackingStore, experiment_id: str, runs: list[str], text: str, wanted: list[int]
    ) -> None:
        found = store.search_runs([experiment_id], filter_string=text).runs
        assert {run.run_id for run in found} == {runs[number] for number in wanted}

    def test_found_runs_are_complete(self, store: TrackingStore, experiment_id: str, runs: list[str]) -> None:
        (found,) = store.search_runs([experiment_id], filter_string="params.alpha = '3'").runs
        whole = store.get_run(runs[3])
        assert (found.params, found.metrics, set(found.tags)) == (
            whole.params,
            whole.metrics,
            set(whole.tags),
        )

    def test_order(self, store: TrackingStore, experiment_id: str, runs: list[str]) -> None:
        found = store.search_runs([experiment_id], order_by=["metrics.loss DESC"]).runs
        assert [run.run_id for run in found] == runs[::-1]

    def test_newest_come_first(self, store: TrackingStore, experiment_id: str, runs: list[str]) -> None:
        found = store.search_runs([experiment_id]).runs
        assert [run.run_id for run in found] == runs[::-1]

    def test_pages(self, store: TrackingStore, experiment_id: str, runs: list[str]) -> None:
        found: list[str] = []
        sizes: list[int] = []
        token = ""
        while True:
            page = store.search_runs(
                [experiment_id], order_by=["metrics.loss ASC"], max_results=2, page_token=token
            )
            found += [run.run_id for run in page.runs]
            sizes.append(len(page.runs))
            token = page.next_page_token
            if not token:
                break
        assert found == runs
        assert sizes == [2, 2, 1]

    def test_only_the_named_experiments_are_searched(
        self, store: TrackingStore, experiment_id: str, runs: list[str]
    ) -> None:
        other = store.create_experiment(unique("other"))
        mine = store.create_run(other, start_time=5_000).run_id
        assert [run.run_id for run in store.search_runs([other]).runs] == [mine]
        assert len(store.search_runs([other, experiment_id]).runs) == len(runs) + 1

    @pytest.mark.parametrize(
        "text", ["params.alpha ===", "nothing", "params.alpha = 3 or", "metrics.loss = 'x'"]
    )
    def test_filter_that_is_none_is_refused(
        self, store: TrackingStore, experiment_id: str, text: str
    ) -> None:
        with pytest.raises(InvalidValueError):
            store.search_runs([experiment_id], filter_string=text)


class ArtifactConformance(ConformanceBase):
    """The files of a run."""

    def test_file_comes_back_as_it_was(self, store: TrackingStore, run: Run, tmp_path: Path) -> None:
        file = tmp_path / "in.bin"
        file.write_bytes(bytes(range(256)) * 12_000)
        artifacts = store.artifacts(run.artifact_uri)
        artifacts.upload(file, "deep/er/out file é.bin")
        place = artifacts.download("deep/er/out file é.bin", tmp_path / "back")
        assert place == tmp_path / "back" / "deep" / "er" / "out file é.bin"
        assert place.read_bytes() == file.read_bytes()

    def test_listing(self, store: TrackingStore, run: Run, tmp_path: Path) -> None:
        artifacts = store.artifacts(run.artifact_uri)
        assert artifacts.list() == ()
        for path in ("b.txt", "a/two.txt", "a/one.txt", "a/deep/three.txt"):
            artifacts.upload(_file(tmp_path, path), path)
        assert [(entry.path, entry.is_dir) for entry in artifacts.list()] == [("a", True), ("b.txt", False)]
        inside = [(entry.path, entry.is_dir, entry.size) for entry in artifacts.list("a")]
        assert inside == [("a/deep", True, None), ("a/one.txt", False, 9), ("a/two.txt", False, 9)]
        assert artifacts.list("absent") == ()
        assert artifacts.list("b.txt") == ()

    def test_folder_is_downloaded_whole(self, store: TrackingStore, run: Run, tmp_path: Path) -> None:
        artifacts = store.artifacts(run.artifact_uri)
        paths = ["model/data/weights", "model/MLmodel", "log.txt"]
        for path in paths:
            artifacts.upload(_file(tmp_path, path), path)
        assert artifacts.download("model", tmp_path / "one") == tmp_path / "one" / "model"
        assert _tree(tmp_path / "one") == ["model/MLmodel", "model/data/weights"]
        assert artifacts.download("", tmp_path / "all") == tmp_path / "all"
        assert _tree(tmp_path / "all") == sorted(paths)
        assert (tmp_path / "all" / "log.txt").read_text() == "log.txt\n".rjust(9)

    def test_artifact_is_replaced(self, store: TrackingStore, run: Run, tmp_path: Path) -> None:
        artifacts = store.artifacts(run.artifact_uri)
        file = tmp_path / "file"
        for content in (b"first, and longer", b"second", b""):
            file.write_bytes(content)
            artifacts.upload(file, "file")
            assert artifacts.download("file", tmp_path / "back").read_bytes() == content
        assert [entry.path for entry in artifacts.list()] == ["file"]

    def test_missing_artifact_is_not_found(self, store: TrackingStore, run: Run, tmp_path: Path) -> None:
        artifacts = store.artifacts(run.artifact_uri)
        artifacts.upload(_file(tmp_path, "there"), "there")
        with pytest.raises(NotFoundError):
            artifacts.download("absent/file", tmp_path / "back")
        assert not (tmp_path / "back").exists()

    @pytest.mark.parametrize(
        "path", ["../out", "a/../../out", "/etc/out", "..", "a\\..\\out", "C:/out", "a\0b"]
    )
    def test_path_that_climbs_out_is_refused(
        self, store: TrackingStore, run: Run, tmp_path: Path, path: str
    ) -> None:
        artifacts = store.artifacts(run.artifact_uri)
        file = _file(tmp_path, "file")
        with pytest.raises(InvalidValueError):
            artifacts.upload(file, path)
        with pytest.raises(InvalidValueError):
            artifacts.list(path)
        with pytest.raises(InvalidValueError):
            artifacts.download(path, tmp_path / "back")

    def test_file_that_is_not_there_is_an_error_of_the_system(
        self, store: TrackingStore, run: Run, tmp_path: Path
    ) -> None:
        artifacts = store.artifacts(run.artifact_uri)
        with pytest.raises(FileNotFoundError):
            artifacts.upload(tmp_path / "absent", "file")
        assert artifacts.list() == ()


class TrackingStoreConformance(
    ExperimentConformance, RunConformance, LoggingConformance, SearchConformance, ArtifactConformance
):
    """All of it."""

    def test_uri_holds_no_credentials(self, store: TrackingStore) -> None:
        assert "@" not in store.uri


def _experiments(store: TrackingStore, name: str, view_type: ViewType) -> tuple[Experiment, ...]:
    return store.search_experiments(filter_string=f"name = '{name}'", view_type=view_type).experiments


def _values(run: Run) -> dict[str, float]:
    return {metric.key: metric.value for metric in run.metrics}


def _history(store: TrackingStore, run_id: str, key: str, page_size: int | None = None) -> list[Metric]:
    found: list[Metric] = []
    token = ""
    while True:
        page = store.get_metric_history(run_id, key, max_results=page_size, page_token=token)
        found += page.metrics
        token = page.next_page_token
        if not token:
            return found


def _file(folder: Path, path: str) -> Path:
    """A file of 9 bytes or more, that ends with its path."""
    file = folder / f"source-{uuid.uuid4().hex}"
    file.write_bytes(f"{path[-8:]}\n".rjust(9).encode())
    return file


def _tree(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
