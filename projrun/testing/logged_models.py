"""The conformance kits of logged models, and of what runs read and wrote.

    class TestMyStore(LoggedModelsConformance, InputsConformance):
        @pytest.fixture
        def store(self, tmp_path: Path) -> Iterator[RunStore]: ...

Every test was tried against MLflow 3.17's own server.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from projrun.errors import InvalidValueError, NotFoundError, ProjrunError
from projrun.testing.run_store_base import ConformanceBase
from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Run, Tag
from projrun.tracking.inputs import DatasetUse, Inputs
from projrun.tracking.logged_models import DatasetChoice, LoggedModels, ModelOrder
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore

NO_MODEL = "m-0123456789abcdef0123456789abcdef"
TRAINED, TESTED = DatasetChoice("train", "t1"), DatasetChoice("test", "e1")


class LoggedModelsConformance(ConformanceBase):
    """MLflow 3's models."""

    @pytest.fixture
    def logged(self, store: RunStore) -> LoggedModels:
        """The part of the store that is tested."""
        return part_of(store, LoggedModels)

    def test_logged_model_from_creation_to_ready(self, logged: LoggedModels, run: Run) -> None:
        made = logged.create_logged_model(
            run.experiment_id,
            name="forest",
            model_type="sklearn",
            source_run_id=run.run_id,
            params=[Param("depth", "3")],
            tags=[Tag("team", "a")],
        )
        assert (made.name, made.model_type, made.status) == ("forest", "sklearn", "LOGGED_MODEL_PENDING")
        logged.log_logged_model_params(made.model_id, [Param("trees", "9")])
        logged.set_logged_model_tags(made.model_id, [Tag("team", "b"), Tag("gone/1", "x")])
        logged.delete_logged_model_tag(made.model_id, "team")
        assert (
            logged.finalize_logged_model(made.model_id, "LOGGED_MODEL_READY").status == "LOGGED_MODEL_READY"
        )
        found = logged.get_logged_model(made.model_id)
        assert set(found.params) == {Param("depth", "3"), Param("trees", "9")}
        assert found.tags == (Tag("gone/1", "x"),)
        assert found.source_run_id == run.run_id
        assert found.artifact_uri

    def test_params_are_written_once(self, logged: LoggedModels, experiment_id: str) -> None:
        made = logged.create_logged_model(experiment_id, params=[Param("depth", "3")])
        # Of the same value, MLflow's server says BAD_REQUEST, too.
        with pytest.raises(ProjrunError):
            logged.log_logged_model_params(made.model_id, [Param("new", "1"), Param("depth", "4")])
        assert logged.get_logged_model(made.model_id).params == (Param("depth", "3"),)

    @pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"])
    def test_name_that_is_refused(self, logged: LoggedModels, experiment_id: str, name: str) -> None:
        with pytest.raises(InvalidValueError, match="Invalid model name"):
            logged.create_logged_model(experiment_id, name=name)

    def test_logged_models_that_are_not_there(self, logged: LoggedModels, experiment_id: str) -> None:
        made = logged.create_logged_model(experiment_id)
        for attempt in (
            lambda: logged.get_logged_model(NO_MODEL),
            lambda: logged.finalize_logged_model(NO_MODEL, "LOGGED_MODEL_READY"),
            lambda: logged.delete_logged_model(NO_MODEL),
            lambda: logged.log_logged_model_params(NO_MODEL, [Param("a", "1")]),
            lambda: logged.set_logged_model_tags(NO_MODEL, [Tag("a", "1")]),
            lambda: logged.delete_logged_model_tag(NO_MODEL, "a"),
            lambda: logged.delete_logged_model_tag(made.model_id, "absent"),
        ):
            with pytest.raises(NotFoundError):
                attempt()

    def test_deleted_model_is_hidden(self, logged: LoggedModels, experiment_id: str) -> None:
        kept, gone = (logged.create_logged_model(experiment_id).model_id for _ in range(2))
        for _ in range(2):
            logged.delete_logged_model(gone)
        with pytest.raises(NotFoundError):
            logged.get_logged_model(gone)
        assert logged.get_logged_model(gone, allow_deleted=True).model_id == gone
        assert [model.model_id for model in logged.search_logged_models([experiment_id]).models] == [kept]


class LoggedModelSearchConformance(ConformanceBase):
    """The search of logged models, over four of them."""

    @pytest.fixture
    def logged(self, store: RunStore) -> LoggedModels:
        """The part of the store that is tested."""
        return part_of(store, LoggedModels)

    @pytest.fixture
    def four(self, store: RunStore, logged: LoggedModels, run: Run) -> None:
        """Models a to d: `acc` on two datasets but for d, `loss` of a alone, with two values."""
        made = [
            logged.create_logged_model(
                run.experiment_id,
                name=name,
                model_type="tree" if name < "c" else "net",
                source_run_id=run.run_id,
                params=[Param("depth", str(number))],
                tags=[Tag("team", "odd" if number % 2 else "even")],
            ).model_id
            for number, name in enumerate("abcd")
        ]
        metrics = [
            Metric("acc", value, time, 0, dataset.name, dataset.digest, made[number])
            for number, (train, test) in enumerate([(0.9, 0.5), (0.8, 0.7), (0.7, 0.6)])
            for value, time, dataset in ((train, 1, TRAINED), (test, 2, TESTED))
        ]
        metrics += [Metric("loss", 9.0, 1, 1, model_id=made[0]), Metric("loss", 1.0, 2, 2, model_id=made[0])]
        store.log_batch(run.run_id, metrics=metrics)

    @pytest.mark.parametrize(
        ("text", "datasets", "wanted"),
        [
            ("", [], "abcd"),
            ("name = 'a'", [], "a"),
            ("name IN ('a', 'c')", [], "ac"),
            ("name NOT IN ('a', 'c')", [], "bd"),
            ("name LIKE '%b%'", [], "b"),
            ("model_type = 'tree' AND params.depth = '1'", [], "b"),
            ("params.depth != '1'", [], "acd"),
            ("tags.team = 'even'", [], "ac"),
            ("tags.`team` LIKE 'o%'", [], "bd"),
            ("creation_timestamp > 0", [], "abcd"),
            ("metrics.acc > 0.75", [], "ab"),
            ("metrics.acc > 0.75", [TESTED], ""),
            ("metrics.acc > 0.65", [TESTED], "b"),
            ("metrics.acc > 0.85", [TRAINED, TESTED], "a"),
            ("metrics.acc >= 0.7 AND metrics.acc < 0.65", [], "ac"),
            ("metrics.loss > 5", [], "a"),
            ("metrics.acc = 0.7 AND tags.team = 'odd'", [], "b"),
            ("metrics.absent > 0", [], ""),
            ("", [TRAINED], "abc"),
            ("name != 'a'", [TRAINED], "bc"),
            ("", [DatasetChoice("absent", "t1")], ""),
            ("", [DatasetChoice("train", "absent")], ""),
        ],
    )
    @pytest.mark.usefixtures("four")
    def test_models_by_filter(
        self,
        logged: LoggedModels,
        experiment_id: str,
        text: str,
        datasets: Sequence[DatasetChoice],
        wanted: str,
    ) -> None:
        found = logged.search_logged_models(
            [experiment_id], filter_string=text, datasets=datasets, order_by=[ModelOrder("name")]
        )
        assert "".join(model.name for model in found.models) == wanted

    @pytest.mark.parametrize(
        ("order", "wanted"),
        [
            ([ModelOrder("name", ascending=False)], "dcba"),
            ([ModelOrder("model_type"), ModelOrder("name", ascending=False)], "dcba"),
            # The latest value of each counts, and no value comes last.
            ([ModelOrder("metrics.acc")], "acbd"),
            ([ModelOrder("metrics.acc", ascending=False)], "bcad"),
            ([ModelOrder("metrics.acc", True, TRAINED)], "cbad"),
            ([ModelOrder("metrics.acc", False, TRAINED)], "abcd"),
            ([ModelOrder("metrics.acc", True, DatasetChoice("test"))], "acbd"),
            ([ModelOrder("metrics.loss"), ModelOrder("name", ascending=False)], "adcb"),
        ],
    )
    @pytest.mark.usefixtures("four")
    def test_models_in_order(
        self, logged: LoggedModels, experiment_id: str, order: Sequence[ModelOrder], wanted: str
    ) -> None:
        found: list[str] = []
        token = ""
        while True:
            page = logged.search_logged_models(
                [experiment_id], order_by=order, max_results=3, page_token=token
            )
            found += [model.name for model in page.models]
            token = page.next_page_token
            if not token:
                break
        assert "".join(found) == wanted

    @pytest.mark.parametrize("text", ["name ===", "name > 'a'", "params.depth < '1'", "metrics.acc LIKE '0'"])
    def test_filter_of_models_that_is_refused(
        self, logged: LoggedModels, experiment_id: str, text: str
    ) -> None:
        with pytest.raises(InvalidValueError):
            logged.search_logged_models([experiment_id], filter_string=text)

    @pytest.mark.parametrize("field", ["params.depth", "tags.team", "nothing", "attributes.name"])
    def test_order_of_models_that_is_refused(
        self, logged: LoggedModels, experiment_id: str, field: str
    ) -> None:
        with pytest.raises(InvalidValueError, match="Invalid order by field name"):
            logged.search_logged_models([experiment_id], order_by=[ModelOrder(field)])

    def test_dataset_without_a_name_is_refused(self, logged: LoggedModels, experiment_id: str) -> None:
        with pytest.raises(InvalidValueError, match="`dataset_name` in the `datasets` clause must be"):
            logged.search_logged_models([experiment_id], datasets=[DatasetChoice("")])


class InputsConformance(ConformanceBase):
    """What runs read and wrote."""

    def test_inputs_and_outputs_of_a_run(self, store: RunStore, run: Run) -> None:
        model = part_of(store, LoggedModels).create_logged_model(run.experiment_id, name="made")
        context = (Tag("mlflow.data.context", "training"),)
        dataset = Dataset("wine", "d1", "local", "{}", schema="[]", tags=context)
        inputs = part_of(store, Inputs)
        inputs.log_inputs(run.run_id, [dataset], [model.model_id])
        inputs.log_outputs(run.run_id, [ModelOutput(model.model_id, 3)])
        found = store.get_run(run.run_id)
        assert found.datasets == (dataset,)
        assert found.model_inputs == (model.model_id,)
        assert found.model_outputs == (ModelOutput(model.model_id, 3),)

    def test_datasets_of_experiments_are_found(self, store: RunStore, experiment_id: str, run: Run) -> None:
        inputs = part_of(store, Inputs)
        other = store.create_run(experiment_id, start_time=2)
        training = (Tag("mlflow.data.context", "training"),)
        for reader in (run, other):
            inputs.log_inputs(reader.run_id, [Dataset("wine", "d1", "local", "{}", tags=training)])
        inputs.log_inputs(other.run_id, [Dataset("bare", "d2", "local", "{}")])
        assert set(inputs.search_datasets([experiment_id])) == {
            DatasetUse(experiment_id, "bare", "d2"),
            DatasetUse(experiment_id, "wine", "d1", "training"),
        }
        for refused in ([], [experiment_id] * 21):
            with pytest.raises(InvalidValueError, match="SearchDatasets request"):
                inputs.search_datasets(refused)
