"""A store with all that one can hold, and what is in a store, to compare."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from projrun.transfer.lines import Lines
from projrun.transfer.stores import StoreSource
from tests.support.stores import new_store

STEPS = 30
_PLACES = {
    "experiment_id",
    "artifact_uri",
    "artifact_location",
    "creation_time",
    "last_update_time",
    "user_id",
}
"""What is another store's own."""


def store_at(folder: Path) -> SqlStore:
    """The store of a folder, created if needed."""
    file = folder / "projrun.db"
    return SqlStore.open(file if file.exists() else new_store(file))


def full_store(folder: Path) -> SqlStore:
    """Two experiments, one of them deleted; runs, one nested, one deleted, one that goes on; models and versions."""
    store = store_at(folder)
    wine = store.create_experiment("wine", tags=[Tag("team", "cellar")])
    outer = store.create_run(wine, run_name="outer", user_id="ada", start_time=1000)
    store.log_batch(
        outer.run_id,
        metrics=[Metric("loss", 1 / (step + 1), 5000 + step, step) for step in range(STEPS)],
        params=[Param("alpha", "0.5"), Param("empty", "")],
        tags=[Tag("note", "one\ntwo"), Tag("of", f"runs:/{outer.run_id}/model")],
    )
    store.log_batch(
        outer.run_id, metrics=[Metric("odd", float("nan"), 1), Metric("odd", float("-inf"), 2, 1)]
    )
    _upload(store, folder, outer.artifact_uri, "data/notes.txt", b"notes")
    inputs = part_of(store, Inputs)
    data = Dataset("data", "d1", "local", "{}", "{}", None, (Tag("mlflow.data.context", "training"),))
    inputs.log_inputs(outer.run_id, [data])
    inner = store.create_run(wine, run_name="inner", start_time=2000)
    store.log_batch(inner.run_id, tags=[Tag("mlflow.parentRunId", outer.run_id)])
    ended = store.create_run(wine, run_name="ended", start_time=2500)
    store.update_run(ended.run_id, status="FAILED", end_time=2600)
    part_of(store, LifeCycle).delete_run(ended.run_id)
    _log_models(store, folder, wine, outer.run_id)
    store.update_run(outer.run_id, status="FINISHED", end_time=9000)
    gone = store.create_experiment("gone")
    lost = store.create_run(gone, run_name="lost", start_time=3000)
    store.log_batch(lost.run_id, metrics=[Metric("m", 2.5, 3, 4)])
    store.update_run(lost.run_id, status="KILLED", end_time=3001)
    part_of(store, LifeCycle).delete_experiment(gone)
    return store


def _log_models(store: SqlStore, folder: Path, experiment: str, run_id: str) -> None:
    models, registry = part_of(store, LoggedModels), part_of(store, ModelRegistry)
    ids = []
    for number in range(2):
        model = models.create_logged_model(
            experiment, name=f"net-{number}", model_type="cnn", source_run_id=run_id, params=[Param("depth", "3")],
            tags=[Tag("t", "1")],
        )  # fmt: skip
        ids.append(model.model_id)
        named = Metric("score", 0.5, 7, number, "data", "d1", model.model_id)
        both = Metric("common", 0.25, 7, 1, model_id=model.model_id)
        store.log_batch(run_id, metrics=[named, both])
        _upload(store, folder, model.artifact_uri, "MLmodel", b"flavors: {}")
        models.finalize_logged_model(model.model_id, "LOGGED_MODEL_READY")
    part_of(store, Inputs).log_outputs(run_id, [ModelOutput(model_id, 1) for model_id in ids])
    models.delete_logged_model(ids[1])
    registry.create_registered_model("forest", description="Trees", tags=[Tag("kind", "trees")])
    registry.create_registered_model("copies")
    source = store.get_run(run_id).artifact_uri
    for place, model_id in ((f"{source}/model", ""), (f"{source}/other", ""), (f"models:/{ids[0]}", ids[0])):
        registry.create_model_version(
            "forest", source=place, run_id=run_id, model_id=model_id, tags=[Tag("n", place[-3:])]
        )
    registry.create_model_version("copies", source="models:/forest/3", run_id=run_id)
    registry.delete_model_version("forest", "2")
    registry.set_registered_model_alias("forest", "champion", "3")
    registry.transition_model_version_stage("forest", "1", "Production")


def _upload(store: SqlStore, folder: Path, artifact_uri: str, path: str, content: bytes) -> None:
    file = folder / "made"
    file.write_bytes(content)
    store.artifacts(artifact_uri).upload(file, path)


def contents(store: RunStore) -> list[Any]:
    """All that is in a store, but for what each store gives itself."""
    return [_plain(line) for line in sorted(Lines(StoreSource(store)), key=_order) if _counts(line)]


def _counts(line: dict[str, Any]) -> bool:
    return (line["type"], line.get("name")) != ("experiment", "Default")


def _order(line: dict[str, Any]) -> list[str]:
    keys = ("type", "name", "version", "run_id", "model_id", "key", "path", "dataset_name")
    return [str(line.get(key, "")) for key in keys]


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in line.items() if key not in _PLACES}
    if line["type"] == "model_version":
        kept["source"] = kept["source"].rpartition("/")[2]
        del kept["model_id"]  # a server of ours gives a copy the one of its source
    if line["type"] in ("model_version", "logged_model"):
        kept["tags"] = _others(kept["tags"])
    return kept


def _others(tags: dict[str, str]) -> dict[str, str]:
    """But for those that servers and transfers set."""
    return {
        key: value
        for key, value in tags.items()
        if not key.startswith("projrun.origin.") and key != "mlflow.modelVersions"
    }


def points_of(lines: Iterable[dict[str, Any]]) -> int:
    """How many values they hold."""
    return sum(len(line["points"]) for line in lines if line["type"] == "metric")
