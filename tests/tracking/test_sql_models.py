"""Logged models, the registry, datasets and outputs in the SQL store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Run, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.logged_models import LoggedModels, ModelOrder
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.inputs import SqlInputs
from projrun.tracking.sql.life_cycle import SqlLifeCycle
from projrun.tracking.sql.models.store import SqlLoggedModels
from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def run(store: SqlStore) -> Run:
    return store.create_run("0", start_time=5)


@pytest.fixture
def models(store: SqlStore) -> LoggedModels:
    return part_of(store, LoggedModels)


@pytest.fixture
def inputs(store: SqlStore) -> Inputs:
    return part_of(store, Inputs)


def test_store_fulfils_the_contracts(tmp_path: Path) -> None:
    with closing(SqliteEngine.open(tmp_path / "projrun.db")) as engine:
        store = SqlStore(engine, tmp_path)
        tracking: RunStore = store
        models: LoggedModels = SqlLoggedModels(engine)
        inputs: Inputs = SqlInputs(engine)
        cycle: LifeCycle = SqlLifeCycle(engine)
        assert tracking.uri.startswith("sqlite:///")
        assert type(part_of(store, LoggedModels)) is type(models)
        assert type(part_of(store, Inputs)) is type(inputs)
        assert type(part_of(store, LifeCycle)) is type(cycle)


def test_logged_model_from_creation_to_ready(store: SqlStore, run: Run, models: LoggedModels) -> None:
    model = models.create_logged_model(
        "0",
        name="model",
        model_type="classifier",
        source_run_id=run.run_id,
        params=[Param("alpha", "1")],
        tags=[Tag("a", "1")],
    )
    assert model.model_id.startswith("m-")
    assert model.status == "LOGGED_MODEL_PENDING"
    assert model.artifact_uri == f"mlflow-artifacts:/0/models/{model.model_id}/artifacts"
    models.set_logged_model_tags(model.model_id, [Tag("a", "2"), Tag("b", "3")])
    models.log_logged_model_params(model.model_id, [Param("beta", "2")])
    models.finalize_logged_model(model.model_id, "LOGGED_MODEL_READY")
    found = models.get_logged_model(model.model_id)
    assert found.status == "LOGGED_MODEL_READY"
    assert found.tags == (Tag("a", "2"), Tag("b", "3"))
    assert found.params == (Param("alpha", "1"), Param("beta", "2"))
    assert found.source_run_id == run.run_id


def test_metric_of_a_logged_model_is_its_runs_too(store: SqlStore, run: Run, models: LoggedModels) -> None:
    model_id = models.create_logged_model("0").model_id
    metric = Metric("acc", 0.9, 7, 1, "wine", "abc", model_id)
    store.log_batch(run.run_id, metrics=[metric, Metric("other", 1.0, 7)])
    assert models.get_logged_model(model_id).metrics == (metric._replace(run_id=run.run_id),)
    assert store.get_run(run.run_id).metrics[0] == metric._replace(run_id=run.run_id)


def test_logged_models_are_searched(store: SqlStore, models: LoggedModels) -> None:
    names = ("first", "second", "third")
    ids = {name: models.create_logged_model("0", name=name, tags=[Tag("n", name)]).model_id for name in names}
    (found,) = models.search_logged_models(["0"], filter_string="name = 'second'").models
    assert found == models.get_logged_model(ids["second"])
    page = models.search_logged_models(
        ["0"], filter_string="tags.n LIKE '%ir%'", order_by=[ModelOrder("name", ascending=False)]
    )
    assert [model.name for model in page.models] == ["third", "first"]
    assert models.search_logged_models(["1"]).models == ()
    page = models.search_logged_models(["0"], max_results=2, order_by=[ModelOrder("name")])
    rest = models.search_logged_models(["0"], order_by=[ModelOrder("name")], page_token=page.next_page_token)
    assert [model.name for model in page.models + rest.models] == list(names)


@pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"])
def test_logged_model_name_that_is_refused(store: SqlStore, name: str, models: LoggedModels) -> None:
    with pytest.raises(InvalidValueError, match="Invalid model name"):
        models.create_logged_model("0", name=name)


def test_logged_model_that_does_not_exist(
    store: SqlStore, run: Run, models: LoggedModels, inputs: Inputs
) -> None:
    for attempt in (
        lambda: models.get_logged_model("m-none"),
        lambda: models.finalize_logged_model("m-none", "LOGGED_MODEL_READY"),
        lambda: models.set_logged_model_tags("m-none", []),
        lambda: models.log_logged_model_params("m-none", [Param("a", "1")]),
        lambda: inputs.log_outputs(run.run_id, [ModelOutput("m-none")]),
        lambda: inputs.log_inputs(run.run_id, [], ["m-none"]),
        lambda: models.create_logged_model("77"),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    with pytest.raises(InvalidValueError, match="does not exist"):
        store.log_batch(run.run_id, metrics=[Metric("m", 1.0, 1, model_id="m-none")])
    assert store.get_run(run.run_id).metrics == ()


def test_status_that_is_none(store: SqlStore, models: LoggedModels) -> None:
    model = models.create_logged_model("0")
    with pytest.raises(InvalidValueError, match="unknown status"):
        models.finalize_logged_model(model.model_id, "DONE")


def test_inputs_and_outputs_of_a_run(store: SqlStore, run: Run, models: LoggedModels, inputs: Inputs) -> None:
    wine = Dataset("wine", "abc", "local", "/data", "schema", None, (Tag("mlflow.data.context", "train"),))
    bare = Dataset("bare", "def", "code", "x")
    read, written = (
        models.create_logged_model("0").model_id,
        models.create_logged_model("0").model_id,
    )
    inputs.log_inputs(run.run_id, [wine, bare], [read])
    inputs.log_inputs(run.run_id, [wine])
    inputs.log_outputs(run.run_id, [ModelOutput(written, 3)])
    found = store.get_run(run.run_id)
    assert found.datasets == (wine, bare)
    assert found.model_inputs == (read,)
    assert found.model_outputs == (ModelOutput(written, 3),)
    other = store.create_run("0", start_time=6)
    inputs.log_inputs(other.run_id, [wine._replace(tags=())])
    assert store.get_run(other.run_id).datasets == (wine._replace(tags=()),)


def test_models_of_old_clients_are_a_tag(store: SqlStore, run: Run, inputs: Inputs) -> None:
    model = {"flavors": {}, "utc_time_created": "2024-01-01 00:00:00", "run_id": run.run_id}
    models = [{**model, "artifact_path": name} for name in ("one", "two")]
    for each in models:
        inputs.record_model(run.run_id, json.dumps(each))
    tag = store.get_run(run.run_id).tag("mlflow.log-model.history")
    assert json.loads(tag or "") == models
    long = json.dumps({**model, "artifact_path": "y" * 8000})
    for text in ("{", "[]", "", "[" * 100_000, '{"run_id": "x"}', long):
        with pytest.raises(InvalidValueError):
            inputs.record_model(run.run_id, text)
    assert store.get_run(run.run_id).tag("mlflow.log-model.history") == tag


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        *(("name", "n", 500), ("digest", "1", 36), ("source", "x", 65_535)),
        *(("schema", "s", 1_048_575), ("profile", "p", 16_777_215)),
    ],
)
def test_dataset_that_is_too_long(inputs: Inputs, run: Run, field: str, value: str, limit: int) -> None:
    dataset = Dataset("wine", "1", "local", "x")
    with pytest.raises(
        InvalidValueError, match=f"'{field}' exceeds the maximum length of {limit} characters"
    ):
        inputs.log_inputs(run.run_id, [Dataset(**{**dataset._asdict(), field: value * (limit + 1)})])
    inputs.log_inputs(run.run_id, [Dataset(**{**dataset._asdict(), field: value * limit})])


def test_tags_of_an_input_have_limits_of_their_own(inputs: Inputs, run: Run) -> None:
    dataset = Dataset("wine", "1", "local", "x")
    for tag in (Tag("k" * 256, "v"), Tag("k", "v" * 501)):
        with pytest.raises(InvalidValueError, match="exceeds the maximum length"):
            inputs.log_inputs(run.run_id, [dataset._replace(tags=(tag,))])
    inputs.log_inputs(run.run_id, [dataset._replace(tags=(Tag("k" * 255, "v" * 500),))])
