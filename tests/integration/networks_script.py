"""Trains a network with PyTorch, Lightning or Keras: what was logged, without ids and times, as one JSON object.

Run by a Python that has mlflow 3 and torch with lightning, or keras with jax, with MLFLOW_TRACKING_URI set; the words
after the script say with which to train.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import mlflow
import numpy  # type: ignore[import-not-found, unused-ignore]  # of the Python that runs this
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

_features, TARGET = load_iris(return_X_y=True)
FEATURES = StandardScaler().fit_transform(_features).astype("float32")
EPOCHS = 3


def train_torch(name: str) -> None:
    """A plain loop: its metrics, a checkpoint of each epoch, and the model."""
    import torch  # type: ignore[import-not-found, unused-ignore]

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    features, target = torch.from_numpy(FEATURES), torch.from_numpy(TARGET)
    mlflow.log_params({"lr": 0.1, "epochs": EPOCHS})
    for epoch in range(EPOCHS):
        loss = torch.nn.functional.cross_entropy(model(features), target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        optimizer.step()
        mlflow.log_metrics({"loss": float(loss), "epoch": epoch}, step=epoch)
        mlflow.pytorch.log_state_dict(model.state_dict(), artifact_path=f"checkpoints/{epoch}")
    mlflow.pytorch.log_model(
        model,
        name="model",
        registered_model_name=name,
        input_example=FEATURES[:2],
        serialization_format="pickle",
    )


def train_lightning(name: str) -> None:
    """Under autolog, which logs the model too."""
    import lightning  # type: ignore[import-not-found, unused-ignore]
    import torch  # type: ignore[import-not-found, unused-ignore]

    class Classifier(lightning.LightningModule):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)

        def forward(self, given: Any) -> Any:
            return self.layer(given)

        def training_step(self, batch: Any, number: int) -> Any:
            loss = torch.nn.functional.cross_entropy(self(batch[0]), batch[1])
            self.log("train_loss", loss, on_epoch=True, on_step=False)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    lightning.seed_everything(0)
    mlflow.pytorch.autolog(registered_model_name=name, checkpoint=False)
    data = torch.utils.data.TensorDataset(torch.from_numpy(FEATURES), torch.from_numpy(TARGET))
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_checkpointing=False,
        logger=False,
    )
    trainer.fit(Classifier(), torch.utils.data.DataLoader(data, batch_size=50))
    mlflow.pytorch.autolog(disable=True)


def train_keras(name: str) -> None:
    """Under autolog."""
    import keras  # type: ignore[import-not-found, unused-ignore]

    keras.utils.set_random_seed(0)
    mlflow.keras.autolog(registered_model_name=name)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(FEATURES, TARGET, epochs=EPOCHS, batch_size=50, validation_split=0.2, verbose=0)
    mlflow.keras.autolog(disable=True)


TRAINING: dict[str, Callable[[str], None]] = {
    "torch": train_torch,
    "lightning": train_lightning,
    "keras": train_keras,
}


def logged(name: str) -> dict[str, Any]:
    """What one training left, and what its model predicts once it is registered and loaded."""
    client = MlflowClient()
    mlflow.set_experiment(name)
    with mlflow.start_run() as run:
        TRAINING[name](name)
    client.transition_model_version_stage(name, "1", "Production")
    client.set_registered_model_alias(name, "best", "1")
    data = client.get_run(run.info.run_id)
    experiment = data.info.experiment_id
    return {
        "params": data.data.params,
        "metrics": data.data.metrics,
        "history": {
            key: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]
            for key in sorted(data.data.metrics)
        },
        "tags": sorted(key for key in data.data.tags if not key.startswith("mlflow.source")),
        "files": _files(client, run.info.run_id, ""),
        "datasets": [(each.dataset.name, each.dataset.digest) for each in data.inputs.dataset_inputs],
        "models": [_model(client, each) for each in client.search_logged_models([experiment])],
        "by name": len(client.search_logged_models([experiment], filter_string="name = 'model'")),
        "versions": [
            (each.version, each.current_stage) for each in client.search_model_versions(f"name = '{name}'")
        ],
        "predicted": {uri: _predicted(f"models:/{name}{uri}") for uri in ("/1", "/Production", "@best")},
    }


def _predicted(uri: str) -> list[list[float]]:
    found = mlflow.pyfunc.load_model(uri).predict(FEATURES[:5])
    return [[round(float(one), 5) for one in row] for row in numpy.asarray(found)]


def _files(client: MlflowClient, run_id: str, path: str) -> list[str]:
    found: list[str] = []
    for each in client.list_artifacts(run_id, path or None):
        found += _files(client, run_id, each.path) if each.is_dir else [each.path]
    return sorted(found)


def _model(client: MlflowClient, model: Any) -> tuple[Any, ...]:
    metrics = sorted((metric.key, metric.value) for metric in model.metrics or [])
    files = sorted(each.path for each in client.list_logged_model_artifacts(model.model_id))
    return model.name, model.status, model.params, metrics, files


def main() -> None:
    """Train with each that is asked for."""
    warnings.simplefilter("ignore")
    print(json.dumps({name: logged(name) for name in sys.argv[1:]}, sort_keys=True))


if __name__ == "__main__":
    main()
