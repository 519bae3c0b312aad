"""From a model's address to its folder, once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import pytest

from projrun.errors import RequestError, SourceError, TrackingError
from projrun.models.fetching import FetchedModel, Stores, fetch_model
from projrun.settings import Setting
from projrun.sources.options import FetchOptions
from projrun.sources.policy import TrustPolicy
from projrun.tracking.entities import ModelOutput, Run
from projrun.tracking.inputs import Inputs
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.rest.store import RestStore
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from tests.support.program import projrun_server
from tests.support.stores import new_store

pytestmark = pytest.mark.processes

MLMODEL = "flavors: {}\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "home" / "projrun.db"))) as store:
        yield store


@pytest.fixture
def run(store: SqlStore, tmp_path: Path) -> Run:
    """A run with a model below its artifacts, which is version 1 of `wine`, the champion."""
    run = store.create_run("0", start_time=1)
    upload(store, run.artifact_uri, tmp_path, "model")
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model("wine")
    registry.create_model_version("wine", source=f"{run.artifact_uri}/model", run_id=run.run_id)
    registry.set_registered_model_alias("wine", "champion", "1")
    return run


@pytest.fixture
def server(store: SqlStore, tmp_path: Path) -> Iterator[RestStore]:
    """The same store behind a server, whose folder its clients do not see."""
    with projrun_server(tmp_path / "home") as program, closing(RestStore(program.uri, {})) as server:
        yield server


def upload(store: RunStore, artifact_uri: str, folder: Path, *below: str) -> None:
    for path, text in (("MLmodel", MLMODEL), ("data/weights", "1")):
        file = folder / "upload"
        file.write_text(text)
        store.artifacts(artifact_uri).upload(file, "/".join((*below, path)))


def fetched(uri: str, store: RunStore, folder: Path, *, offline: bool = False) -> FetchedModel:
    options = FetchOptions(folder / "cache", {}, folder, offline=offline)
    return fetch_model(uri, options, opener(store))


def opener(store: RunStore, registry: RunStore | None = None) -> Callable[[], AbstractContextManager[Stores]]:
    return lambda: nullcontext(Stores(store, registry or store))


def put_version(store: RunStore, name: str, source: str) -> None:
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model(name)
    registry.create_model_version(name, source=source)


def test_a_folder_is_used_in_place(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    model = fetched("mine", store, tmp_path)
    assert (model.folder, model.is_own) == (tmp_path / "mine", True)
    with pytest.raises(RequestError, match="folder 'other' not found"):
        fetched("other", store, tmp_path)


ADDRESSES = ["runs:/{}/model", "models:/wine/1", "models:/wine@champion", "models:/wine/latest"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_model_of_the_own_store_is_used_in_place(
    store: SqlStore, run: Run, tmp_path: Path, address: str
) -> None:
    model = fetched(address.format(run.run_id), store, tmp_path, offline=True)
    assert model.is_own
    assert (model.folder / "MLmodel").read_text() == MLMODEL
    assert not (tmp_path / "cache").exists()


def test_a_registry_elsewhere_makes_no_folder_of_this_machine_own(
    store: SqlStore, server: RestStore, run: Run, tmp_path: Path
) -> None:
    """Also where runs are recorded in the own store."""
    (tmp_path / "evil").mkdir()
    put_version(store, "planted", (tmp_path / "evil").as_uri())
    (tmp_path / "mine").mkdir()
    options = FetchOptions(tmp_path / "cache", {}, tmp_path)
    with closing(SqlStore.open(tmp_path / "mine" / "projrun.db")) as mine:
        asked = opener(mine, server)
        model = fetch_model("models:/planted/1", options, asked)
        assert (model.folder, model.is_own) == (tmp_path / "evil", False)
        with pytest.raises(SourceError, match="is not cached, and --offline contacts no server"):
            fetch_model("models:/planted/1", options._replace(offline=True), asked)
        # What this store has itself is own, wherever models are registered.
        kept = mine.create_run("0", start_time=1)
        upload(mine, kept.artifact_uri, tmp_path, "model")
        assert fetch_model(f"runs:/{kept.run_id}/model", options._replace(offline=True), asked).is_own


def test_what_was_fetched_belongs_to_one_registry(
    store: SqlStore, server: RestStore, run: Run, tmp_path: Path
) -> None:
    options = FetchOptions(tmp_path / "cache", {}, tmp_path)
    assert fetch_model("models:/wine/1", options, opener(server)).folder.exists()
    with (
        closing(RestStore("http://127.0.0.1:9", {})) as other,
        pytest.raises(SourceError, match="is not cached"),
    ):
        fetch_model("models:/wine/1", options._replace(offline=True), opener(server, other))


def test_the_own_store_vouches_only_for_what_it_keeps(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    put_version(store, "wine", str(tmp_path / "elsewhere"))
    (tmp_path / "home" / "artifacts" / "link").symlink_to(tmp_path / "elsewhere")
    put_version(store, "linked", str(tmp_path / "home" / "artifacts" / "link"))
    for name in ("wine", "linked"):
        assert not fetched(f"models:/{name}/1", store, tmp_path).is_own


@pytest.mark.parametrize("place", ["", "projrun.db", "artifacts"])
def test_a_store_that_others_write_to_is_not_own(
    store: SqlStore, run: Run, tmp_path: Path, place: str
) -> None:
    (tmp_path / "home" / place).chmod(0o777)
    model = fetched("models:/wine/1", store, tmp_path, offline=True)
    assert (model.folder.name, model.is_own) == ("model", False)


@pytest.mark.parametrize(
    ("options", "is_own"),
    [
        ((), True),
        (("--host", "0.0.0.0", "--no-auth", "--read-only"), True),
        (("--host", "0.0.0.0", "--no-auth"), False),
        (("--allowed-hosts", "ml.example.org"), False),
    ],
)
def test_a_store_that_was_served_to_others_is_not_own(
    store: SqlStore, run: Run, tmp_path: Path, options: tuple[str, ...], is_own: bool
) -> None:
    with projrun_server(tmp_path / "home", *options):
        pass
    assert fetched("models:/wine/1", store, tmp_path).is_own is is_own


def test_offline_no_object_store_is_asked(store: SqlStore, tmp_path: Path) -> None:
    put_version(store, "wine", "s3://absent/model")
    for address in ("models:/wine/1", "s3://absent/model"):
        with pytest.raises(SourceError, match="is not cached, and --offline contacts no server"):
            fetched(address, store, tmp_path, offline=True)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_model_of_a_server_is_fetched_once(
    server: RestStore, run: Run, tmp_path: Path, address: str
) -> None:
    uri = address.format(run.run_id)
    first = fetched(uri, server, tmp_path)
    assert not first.is_own
    assert (first.folder / "data" / "weights").read_text() == "1"
    assert fetched(uri, server, tmp_path) == first
    assert fetched("models:/wine/1", server, tmp_path).folder == first.folder
    assert fetched(uri, server, tmp_path, offline=True).folder == first.folder


def test_a_model_that_mlflow_3_logged(store: SqlStore, server: RestStore, run: Run, tmp_path: Path) -> None:
    """It lies beside the artifacts of its run, and both addresses lead to it."""
    models = part_of(server, LoggedModels)
    logged = models.create_logged_model("0", name="net", source_run_id=run.run_id)
    upload(server, logged.artifact_uri, tmp_path)
    part_of(server, Inputs).log_outputs(run.run_id, [ModelOutput(logged.model_id, 0)])
    by_run = fetched(f"runs:/{run.run_id}/net", server, tmp_path)
    assert (by_run.folder / "MLmodel").read_text() == MLMODEL
    assert fetched(f"models:/{logged.model_id}", server, tmp_path).folder == by_run.folder


def test_only_some_files_can_be_fetched(server: RestStore, run: Run, tmp_path: Path) -> None:
    options = FetchOptions(tmp_path / "cache", {}, tmp_path)
    uri, names = f"runs:/{run.run_id}/model", frozenset({"MLmodel", "absent"})
    model = fetch_model(uri, options, opener(server), names)
    assert [file.name for file in model.folder.rglob("*")] == ["MLmodel"]
    assert (fetched(uri, server, tmp_path).folder / "data" / "weights").exists()


def test_changed_files_are_fetched_again(server: RestStore, run: Run, tmp_path: Path) -> None:
    uri = f"runs:/{run.run_id}/model"
    first = fetched(uri, server, tmp_path)
    (tmp_path / "upload").write_text("longer")
    server.artifacts(run.artifact_uri).upload(tmp_path / "upload", "model/data/weights")
    again = fetched(uri, server, tmp_path)
    assert (again.folder / "data" / "weights").read_text() == "longer"
    assert (first.folder / "data" / "weights").read_text() == "1"


def test_a_model_that_was_saved_again_is_fetched_again(server: RestStore, run: Run, tmp_path: Path) -> None:
    """All its files are as long as before."""

    def saved(weights: str, time: str) -> Path:
        for path, text in (
            ("data/weights", weights),
            ("MLmodel", f"flavors: {{}}\nutc_time_created: {time}\n"),
        ):
            (tmp_path / "upload").write_text(text)
            server.artifacts(run.artifact_uri).upload(tmp_path / "upload", f"model/{path}")
        return fetched("models:/wine/1", server, tmp_path).folder / "data" / "weights"

    first, again = saved("1.5", "10:00"), saved("2.5", "10:01")
    assert (first.read_text(), again.read_text()) == ("1.5", "2.5")
    assert fetched("models:/wine/1", server, tmp_path).folder == again.parent.parent


def test_what_was_never_fetched_is_not_there_offline(server: RestStore, run: Run, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not cached, and --offline contacts no server"):
        fetched(f"runs:/{run.run_id}/model", server, tmp_path, offline=True)


def test_a_cleared_cache_is_filled_again(server: RestStore, run: Run, tmp_path: Path) -> None:
    uri = f"runs:/{run.run_id}/model"
    fetched(uri, server, tmp_path)
    shutil.rmtree(tmp_path / "cache" / "checkouts")
    with pytest.raises(SourceError, match="is not cached"):
        fetched(uri, server, tmp_path, offline=True)
    assert (fetched(uri, server, tmp_path).folder / "MLmodel").exists()


def test_an_address_that_names_nothing(server: RestStore, run: Run, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a model's folder, or is empty"):
        fetched(f"runs:/{run.run_id}/absent", server, tmp_path)
    for address in ("models:/wine/7", "models:/wine@absent", "models:/absent/1", f"runs:/{'0' * 32}/model"):
        with pytest.raises(TrackingError):
            fetched(address, server, tmp_path)


def test_a_server_cannot_lead_out_of_its_folder(store: SqlStore, run: Run, tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="Invalid path"):
        fetched(f"runs:/{run.run_id}/../../model", store, tmp_path)


def test_the_trust_policy_holds_for_object_stores(store: SqlStore, tmp_path: Path) -> None:
    policy = TrustPolicy(hosts=[Setting("example.org", "config.toml")])
    options = FetchOptions(tmp_path / "cache", {}, tmp_path, policy)
    with pytest.raises(SourceError, match="allowed-hosts"):
        fetch_model("s3://elsewhere/model", options, opener(store))


def test_a_full_disk_leaves_nothing(server: RestStore, run: Run, tmp_path: Path) -> None:
    """The place of the cache cannot be written to."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(SourceError, match="cannot be"):
        fetched(f"runs:/{run.run_id}/model", server, tmp_path)
