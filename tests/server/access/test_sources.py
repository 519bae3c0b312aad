"""What a call names beside its own resource: a version's source, the models of a metric, a model's run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from starlette.types import ASGIApp

from projrun.server.access.app import create_api_with_users
from projrun.server.stores import Stores
from tests.server.access.client import Client, basic
from tests.server.access.conftest import PASSWORD
from tests.server.access.test_permitting import grant


class Things(NamedTuple):
    """An experiment with a run and a logged model in it."""

    experiment: str
    run: str
    root: str
    model: str


def make(client: Client, name: str) -> Things:
    experiment = client.post("experiments/create", name=name).json["experiment_id"]
    run = client.post("runs/create", experiment_id=experiment).json["run"]["info"]
    model = client.post("logged-models", experiment_id=experiment, name="m").json["model"]["info"]
    return Things(experiment, run["run_id"], run["artifact_uri"], model["model_id"])


@pytest.fixture
def closed(stores: Stores) -> ASGIApp:
    """Nothing may be read without a grant."""
    return create_api_with_users(stores, default_permission="NO_PERMISSIONS")


@pytest.fixture
def secret(closed: ASGIApp) -> Things:
    """Of the administrator, who has the registered model `secret`, too."""
    admin = Client(closed, basic("admin", PASSWORD))
    things = make(admin, "secret")
    admin.post("registered-models/create", name="secret")
    source = {"source": things.root, "run_id": things.run}
    assert admin.post("model-versions/create", name="secret", **source).status == 200
    return things


@pytest.mark.parametrize(
    "source",
    [
        lambda secret: {"source": secret.root, "run_id": secret.run},
        lambda secret: {"source": f"runs:/{secret.run}/model", "run_id": secret.run},
        lambda secret: {"source": f"models:/{secret.model}", "model_id": secret.model},
        lambda secret: {"source": "s3://bucket/model", "runId": secret.run},
        lambda secret: {"source": "models:/secret/1"},
        lambda secret: {"source": "models:/secret/1", "run_id": secret.run},
        lambda secret: {"source": "models:/secret/latest"},
        lambda secret: {"source": "s3://bucket/model", "run_id": "0" * 32},
    ],
)
def test_a_version_is_made_of_what_may_be_read(
    closed: ASGIApp, secret: Things, source: Callable[[Things], dict[str, str]]
) -> None:
    ann, admin = (Client(closed, basic(name, PASSWORD)) for name in ("ann", "admin"))
    assert ann.post("registered-models/create", name="of ann").status == 200
    given = {"name": "of ann", **source(secret)}
    assert ann.post("model-versions/create", **given).status == 403
    assert ann.get("model-versions/search").json == {}
    grant(admin, "ann", "experiment", secret.experiment, "READ")
    grant(admin, "ann", "registered_model", "secret", "READ")
    unknown = given.get("run_id") == "0" * 32
    answer = ann.post("model-versions/create", **given)
    assert answer.status == (403 if unknown else 200), answer
    if not unknown:
        assert answer.json["model_version"]["user_id"] == "ann"


def test_logged_models_that_a_run_names_are_changed_by_who_may(closed: ASGIApp, secret: Things) -> None:
    ann, admin = (Client(closed, basic(name, PASSWORD)) for name in ("ann", "admin"))
    own = make(ann, "own")
    metric: dict[str, Any] = {"key": "m", "value": 1, "timestamp": 1}

    def statuses(model: str) -> list[int]:
        named = [{"model_id": model, "step": 1}]
        return [
            ann.post("runs/log-metric", run_id=own.run, **metric, model_id=model).status,
            ann.post("runs/log-metric", run_id=own.run, **metric, modelId=model).status,
            ann.post(
                "runs/log-batch", run_id=own.run, metrics=[metric, {**metric, "model_id": model}]
            ).status,
            ann.post("runs/log-inputs", run_id=own.run, models=[{"model_id": model}]).status,
            ann.post("runs/outputs", run_id=own.run, models=named).status,
        ]

    assert statuses(own.model) == [200] * 5
    assert statuses(secret.model) == [403] * 5
    grant(admin, "ann", "experiment", secret.experiment, "READ")
    assert statuses(secret.model) == [403] * 5


def test_run_of_a_logged_model_is_one_that_may_be_read(closed: ASGIApp, secret: Things) -> None:
    ann = Client(closed, basic("ann", PASSWORD))
    own = make(ann, "own")
    model = {"experiment_id": own.experiment, "name": "m"}
    assert ann.post("logged-models", **model, source_run_id=secret.run).status == 403
    assert ann.post("logged-models", **model, source_run_id=own.run).status == 200
