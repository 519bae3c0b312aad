"""Ways around permissions, each tried: ids in other spellings and other fields, names that stand for all, sources."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from projrun.server.access.app import create_api_with_users
from projrun.server.stores import Stores
from projrun.tracking.sql.store import SqlStore
from tests.server.access.client import API3, Client, basic
from tests.server.access.conftest import PASSWORD
from tests.server.access.test_permitting import grant

Named = Callable[[str], Client]


@pytest.fixture
def secret(user: Named) -> dict[str, str]:
    """An experiment of ann, of which bob may see nothing, and what is in it."""
    ann = user("ann")
    experiment = ann.post("experiments/create", name="secret").json["experiment_id"]
    run = ann.post("runs/create", experiment_id=experiment).json["run"]["info"]["run_id"]
    model = ann.post("logged-models", experiment_id=experiment, name="m").json["model"]["info"]["model_id"]
    ann.post("registered-models/create", name="hers")
    for kind, name in (("experiment", experiment), ("registered_model", "hers")):
        assert grant(ann, "bob", kind, name, "NO_PERMISSIONS").status == 200
    made = ann.post("model-versions/create", name="hers", source=f"runs:/{run}/model", run_id=run)
    assert made.status == 200
    return {"experiment": experiment, "run": run, "model": model}


@pytest.fixture
def own(user: Named) -> dict[str, str]:
    """What bob has himself."""
    bob = user("bob")
    experiment = bob.post("experiments/create", name="own").json["experiment_id"]
    run = bob.post("runs/create", experiment_id=experiment).json["run"]["info"]["run_id"]
    bob.post("registered-models/create", name="mine")
    return {"experiment": experiment, "run": run}


@pytest.mark.parametrize("spelled", ["0{}", "00{}", " {}", "+{}", "{}.0", "{}e0"])
def test_an_experiment_has_one_spelling(user: Named, secret: dict[str, str], spelled: str) -> None:
    bob, name = user("bob"), spelled.format(secret["experiment"])
    assert bob.get("experiments/get", experiment_id=name).status in (400, 403, 404)
    assert bob.get("experiments/get", experimentId=name).status in (400, 403, 404)
    found = bob.post("runs/search", experiment_ids=[name])
    assert found.status in (400, 404)
    assert bob.post("experiments/search-datasets", experiment_ids=[name]).status in (400, 404)


def test_all_is_no_name_of_a_model(application: ASGIApp, user: Named, secret: dict[str, str]) -> None:
    bob = user("bob")
    bob.post("registered-models/create", name="mine")
    assert bob.post("registered-models/create", name="*").status == 400
    assert bob.post("registered-models/rename", method="PATCH", name="mine", new_name="*").status in (
        400,
        405,
    )
    assert bob.post("registered-models/rename", name="mine", new_name="*").status == 400
    assert user("admin").post("registered-models/create", name="*").status == 400
    assert bob.get("registered-models/get", name="hers").status == 403


def test_grants_on_all_are_for_administrators(stores: Stores) -> None:
    """Also in the words of MLflow 2, and where everybody may manage what has no grants."""
    application = create_api_with_users(stores, default_permission="MANAGE")
    bob = Client(application, basic("bob", PASSWORD))
    everything = {"username": "ann", "permission": "NO_PERMISSIONS"}
    for service, field in (("experiments", "experiment_id"), ("registered-models", "name")):
        refused = bob.post(f"{service}/permissions/create", **{field: "*"}, **everything)
        assert refused.status == 403


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("runs:/{run}/model", {"run_id": "{run}"}),
        ("mlflow-artifacts:/{experiment}/{run}/artifacts", {"run_id": "{run}"}),
        ("models:/{model}", {"model_id": "{model}"}),
        ("models:/hers/1", {}),
        ("models:/hers/latest", {}),
    ],
)
def test_a_version_of_what_may_not_be_read(
    user: Named, secret: dict[str, str], own: dict[str, str], source: str, fields: dict[str, str]
) -> None:
    message = {name: value.format(**secret) for name, value in {"source": source, **fields}.items()}
    bob = user("bob")
    assert bob.post("model-versions/create", name="mine", **message).status == 403
    user("ann").post("registered-models/create", name="also")
    assert user("ann").post("model-versions/create", name="also", **message).status == 200


@pytest.mark.parametrize(
    ("kind", "root"), [("destination", "s3://bucket/kept"), ("default_root", "s3://bucket")]
)
def test_a_version_of_what_is_in_the_servers_object_store(
    database: Path, kind: str, root: str, secret: dict[str, str], own: dict[str, str]
) -> None:
    def opened() -> SqlStore:
        store = SqlStore.open(database)
        setattr(store, kind, root)
        return store

    with Stores(opened) as stores:
        bob = Client(create_api_with_users(stores), basic("bob", PASSWORD))
        for path in ("{experiment}", "{experiment}/{run}/artifacts", "/{experiment}/x", "%3{experiment}/x"):
            source = f"{root}/{path.format(**secret)}"
            assert bob.post("model-versions/create", name="mine", source=source).status == 403, source
        for other in (f"{root}/{own['experiment']}/x", "s3://another/1/x", "gs://bucket/kept/1/x"):
            assert bob.post("model-versions/create", name="mine", source=other).status == 200


def test_what_a_call_on_an_own_run_points_at(
    user: Named, secret: dict[str, str], own: dict[str, str]
) -> None:
    bob, model = user("bob"), secret["model"]
    metric: dict[str, Any] = {"key": "loss", "value": 1, "timestamp": 1, "step": 0, "model_id": model}
    run = own["run"]
    refused = [
        bob.post("runs/log-metric", run_id=run, **metric),
        bob.post("runs/log-batch", run_id=run, metrics=[metric]),
        bob.post("runs/log-inputs", run_id=run, models=[{"model_id": model}]),
        bob.post("runs/outputs", run_id=run, models=[{"model_id": model, "step": 1}]),
        bob.post("logged-models", experiment_id=own["experiment"], source_run_id=secret["run"]),
    ]
    assert [answer.status for answer in refused] == [403] * 5
    del metric["model_id"]
    assert bob.post("runs/log-batch", run_id=run, metrics=[metric]).status == 200


def test_traces_are_not_linked_to_the_runs_of_others(
    user: Named, secret: dict[str, str], own: dict[str, str]
) -> None:
    bob = user("bob")
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": own["experiment"]}}
    info = {
        "trace_id": "tr-1", "trace_location": place, "request_time": "2026-01-01T00:00:00Z", "state": "OK",
    }  # fmt: skip
    assert bob.post("traces", base=API3, trace={"trace_info": info}).status == 200
    assert bob.post("traces/link-to-run", run_id=secret["run"], trace_ids=["tr-1"]).status == 403
    assert bob.post("traces/link-to-run", run_id=own["run"], trace_ids=["tr-1"]).status == 200


@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("", 200),
        ("s3://bucket/place", 200),
        ("mlflow-artifacts:/{experiment}/{run}/artifacts", 403),
        ("MLFLOW-ARTIFACTS:/./{experiment}", 403),
        ("mlflow-artifacts:/", 403),
        ("mlflow-artifacts:/elsewhere", 403),
        ("mlflow-artifacts:/../x", 400),
        ("/srv/www", 403),
        ("FILE:///srv/www", 403),
        ("relative", 403),
    ],
)
def test_where_users_put_experiments(user: Named, secret: dict[str, str], location: str, status: int) -> None:
    message = {"name": "new", "artifact_location": location.format(**secret)}
    assert user("bob").post("experiments/create", **message).status == status
    if status == 403:
        assert user("admin").post("experiments/create", **message).status == 200


def test_a_password_that_is_given_again(user: Named) -> None:
    """A header that is remembered stands for the hash of then, which is not kept any more."""
    admin, ann = user("admin"), user("ann")
    assert ann.get("users/current").status == 200
    admin.post("users/update-password", method="PATCH", username="ann", password=PASSWORD)
    ann.get("users/current")
    assert ann.get("users/current").status == 200


def test_names_that_no_user_has(application: ASGIApp, user: Named) -> None:
    for name in ("a\0b", "ä" * 300, "\x1f"):
        assert Client(application, basic(name, PASSWORD)).get("users/current").status in (400, 401), name


def test_a_store_that_cannot_be_asked(application: ASGIApp, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("ALTER TABLE users RENAME TO gone")
    assert Client(application, basic("ann", PASSWORD)).get("users/current").status == 503
