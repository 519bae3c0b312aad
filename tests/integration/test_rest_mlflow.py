"""RestStore against real MLflow servers, of both lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.errors import NotFoundError
from projrun.testing.histories import HistoriesConformance
from projrun.testing.life_cycle import ExperimentTagConformance, LifeCycleConformance
from projrun.testing.logged_models import (
    InputsConformance,
    LoggedModelsConformance,
    LoggedModelSearchConformance,
)
from projrun.testing.registry import ModelVersionsConformance, RegisteredModelsConformance
from projrun.testing.registry_search import RegistrySearchConformance
from projrun.testing.run_store import RunStoreConformance
from projrun.testing.run_store_base import unique
from projrun.testing.traces import TracesConformance
from projrun.tracking.artifacts.download import download_uri
from projrun.tracking.artifacts.references import resolve
from projrun.tracking.entities import Run
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.rest.store import RestStore
from projrun.tracking.rest.transport import API
from projrun.tracking.rest.wire import logged_model_answer
from projrun.tracking.runs import RunStore

pytestmark = pytest.mark.integration


class RestConformance(RunStoreConformance, LifeCycleConformance, ModelVersionsConformance):
    """The kits, and the model registry as real servers have it."""

    def test_models_are_found_and_downloaded(self, store: RunStore, run: Run, tmp_path: Path) -> None:
        assert isinstance(store, RestStore)
        file = tmp_path / "MLmodel"
        file.write_text("flavors: {}")
        store.artifacts(run.artifact_uri).upload(file, "model/MLmodel")
        name = unique("model")
        _register(store, name, run)
        for reference in (f"{name}/1", f"{name}/latest", f"{name}/Staging", f"{name}@best"):
            place = tmp_path / reference.replace("/", "-")
            download_uri(f"models:/{reference}", place, store, {})
            assert (place / "MLmodel").read_text() == "flavors: {}"
        for reference in (f"{name}/9", f"{name}@worst", f"{name}/Production", unique("absent") + "/1"):
            with pytest.raises(NotFoundError):
                resolve(f"models:/{reference}", store)


def _register(store: RestStore, name: str, run: Run) -> None:
    """Version 1 of a model: the run's folder `model`, in a stage and with an alias."""
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model(name)
    registry.create_model_version(name, source=f"{run.artifact_uri}/model", run_id=run.run_id)
    registry.set_registered_model_alias(name, "best", "1")
    registry.transition_model_version_stage(name, "1", "Staging")


def _open(uri: str) -> Iterator[RestStore]:
    store = RestStore(uri, {})
    yield store
    store.close()


class TestMlflow3(
    HistoriesConformance,
    RestConformance,
    RegisteredModelsConformance,
    RegistrySearchConformance,
    ExperimentTagConformance,
    LoggedModelsConformance,
    LoggedModelSearchConformance,
    InputsConformance,
    TracesConformance,
):
    """The 3.x line."""

    @pytest.fixture
    def store(self, mlflow3_server: str) -> Iterator[RunStore]:
        yield from _open(mlflow3_server)

    def test_logged_model_is_found(self, store: RunStore, experiment_id: str) -> None:
        assert isinstance(store, RestStore)
        body = {"experiment_id": experiment_id, "name": "tree"}
        made = store.transport.post(f"{API}logged-models", body, logged_model_answer)
        assert made.name == "tree"
        assert resolve(f"models:/{made.model_id}", store).artifact_uri == made.artifact_uri


class TestMlflow2(RestConformance):
    """The 2.x line, which takes other names for models and keeps aliases of versions that are gone."""

    @pytest.fixture
    def store(self, mlflow2_server: str) -> Iterator[RunStore]:
        yield from _open(mlflow2_server)
