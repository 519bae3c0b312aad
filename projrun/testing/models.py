"""The conformance kit of logged models.

    class TestMyStore(LoggedModelsConformance):
        @pytest.fixture
        def models(self, tmp_path: Path) -> Iterator[ModelStore]: ...

It needs runs, too: a logged model belongs to an experiment.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from projrun.errors import NotFoundError
from projrun.testing.run_store_base import unique
from projrun.tracking.entities import Dataset, ModelOutput, Param, Run, Tag
from projrun.tracking.models import LoggedModels
from projrun.tracking.runs import RunStore
from projrun.typed import Protocol


class ModelStore(RunStore, LoggedModels, Protocol):
    """A store that keeps runs and models."""


class _Models:
    @pytest.fixture
    def models(self) -> Iterator[ModelStore]:
        """The store under test, open; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `models`")

    @pytest.fixture
    def model_run(self, models: ModelStore) -> Run:
        """A run of this test alone."""
        return models.create_run(models.create_experiment(unique("models")), start_time=1_000)


class LoggedModelsConformance(_Models):
    """MLflow 3's models, and what runs read and wrote."""

    def test_logged_model_from_creation_to_ready(self, models: ModelStore, model_run: Run) -> None:
        made = models.create_logged_model(
            model_run.experiment_id,
            name="forest",
            model_type="sklearn",
            source_run_id=model_run.run_id,
            params=[Param("depth", "3")],
            tags=[Tag("team", "a")],
        )
        assert (made.name, made.model_type, made.status) == ("forest", "sklearn", "LOGGED_MODEL_PENDING")
        models.log_logged_model_params(made.model_id, [Param("trees", "9")])
        models.set_logged_model_tags(made.model_id, [Tag("team", "b")])
        assert (
            models.finalize_logged_model(made.model_id, "LOGGED_MODEL_READY").status == "LOGGED_MODEL_READY"
        )
        found = models.get_logged_model(made.model_id)
        assert set(found.params) == {Param("depth", "3"), Param("trees", "9")}
        assert Tag("team", "b") in found.tags
        assert found.source_run_id == model_run.run_id
        assert found.artifact_uri

    def test_unknown_logged_model_is_not_found(self, models: ModelStore) -> None:
        with pytest.raises(NotFoundError):
            models.get_logged_model("m-0123456789abcdef0123456789abcdef")

    def test_logged_models_are_searched_in_order(self, models: ModelStore, model_run: Run) -> None:
        for name in ("b", "a", "c"):
            models.create_logged_model(model_run.experiment_id, name=name)
        names: list[str] = []
        token = ""
        while True:
            page = models.search_logged_models(
                [model_run.experiment_id], order_by=["name DESC"], max_results=2, page_token=token
            )
            names += [model.name for model in page.models]
            token = page.next_page_token
            if not token:
                break
        assert names == ["c", "b", "a"]

    def test_inputs_and_outputs_of_a_run(self, models: ModelStore, model_run: Run) -> None:
        model = models.create_logged_model(model_run.experiment_id, name="made")
        context = (Tag("mlflow.data.context", "training"),)
        dataset = Dataset("wine", "d1", "local", "{}", schema="[]", tags=context)
        models.log_inputs(model_run.run_id, [dataset], [model.model_id])
        models.log_outputs(model_run.run_id, [ModelOutput(model.model_id, 3)])
        found = models.get_run(model_run.run_id)
        assert found.datasets == (dataset,)
        assert found.model_inputs == (model.model_id,)
        assert found.model_outputs == (ModelOutput(model.model_id, 3),)
