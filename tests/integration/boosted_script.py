"""Trains with XGBoost and LightGBM under autolog: what was logged, without ids and times, as one JSON object.

Run by a Python that has mlflow 3, xgboost and lightgbm, with MLFLOW_TRACKING_URI set.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import lightgbm
import mlflow
import xgboost
from mlflow import MlflowClient
from sklearn.datasets import load_iris

FEATURES, TARGET = load_iris(return_X_y=True)
ROUNDS = 3


def train_xgboost() -> None:
    """Three rounds."""
    data = xgboost.DMatrix(FEATURES, TARGET)
    settings = {"objective": "multi:softprob", "num_class": 3, "seed": 0, "nthread": 1}
    xgboost.train(settings, data, ROUNDS, evals=[(data, "train")], verbose_eval=False)


def train_lightgbm() -> None:
    """Three rounds."""
    data = lightgbm.Dataset(FEATURES, TARGET)
    settings = {"objective": "multiclass", "num_class": 3, "seed": 0, "num_threads": 1, "verbose": -1}
    lightgbm.train(settings, data, ROUNDS, valid_sets=[data], valid_names=["train"])


def logged(flavor: Any, train: Callable[[], None]) -> dict[str, Any]:
    """What autolog left of one training, and what its model predicts once it is registered and loaded."""
    name = flavor.__name__.rpartition(".")[2]
    client = MlflowClient()
    mlflow.set_experiment(name)
    flavor.autolog(registered_model_name=name)
    with mlflow.start_run() as run:
        train()
    flavor.autolog(disable=True)
    client.transition_model_version_stage(name, "1", "Production")
    client.set_registered_model_alias(name, "best", "1")
    data = client.get_run(run.info.run_id)
    return {
        "params": data.data.params,
        "metrics": data.data.metrics,
        "history": {
            key: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]
            for key in sorted(data.data.metrics)
        },
        "tags": sorted(key for key in data.data.tags if not key.startswith("mlflow.source")),
        "files": sorted(each.path for each in client.list_artifacts(run.info.run_id)),
        "datasets": [_dataset(each.dataset) for each in data.inputs.dataset_inputs],
        "models": [_model(client, each) for each in client.search_logged_models([data.info.experiment_id])],
        "versions": [
            (each.version, each.current_stage) for each in client.search_model_versions(f"name = '{name}'")
        ],
        "predicted": {
            uri: mlflow.pyfunc.load_model(f"models:/{name}{uri}").predict(FEATURES[:5]).tolist()
            for uri in ("/1", "/Production", "@best")
        },
    }


def _dataset(dataset: Any) -> tuple[str, ...]:
    return dataset.name, dataset.digest, dataset.schema, dataset.profile


def _model(client: MlflowClient, model: Any) -> tuple[Any, ...]:
    metrics = sorted((metric.key, metric.value) for metric in model.metrics or [])
    files = sorted(each.path for each in client.list_logged_model_artifacts(model.model_id))
    return model.name, model.status, model.params, metrics, files


def main() -> None:
    """Train with both."""
    warnings.simplefilter("ignore")
    found = {
        "xgboost": logged(mlflow.xgboost, train_xgboost),
        "lightgbm": logged(mlflow.lightgbm, train_lightgbm),
    }
    assert all(len(points) == ROUNDS for one in found.values() for points in one["history"].values())
    print(json.dumps(found, sort_keys=True))


if __name__ == "__main__":
    main()
