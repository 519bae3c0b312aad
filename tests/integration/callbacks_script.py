"""Trains with the callback of `projrun.log.callbacks` that the first word names; MLFLOW_TRACKING_URI is set."""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import projrun.log as mlflow
from projrun.log import callbacks

LIBRARIES = {"keras", "lightning", "pytorch_lightning", "sklearn", "tensorflow", "torch", "transformers"}
assert not LIBRARIES & sys.modules.keys()  # none before it is asked for


def data() -> tuple[Any, Any]:
    """Wine: 178 rows of 13 columns, three classes."""
    from sklearn.datasets import load_wine
    from sklearn.preprocessing import StandardScaler

    features, target = load_wine(return_X_y=True)
    return StandardScaler().fit_transform(features).astype("float32"), target


def train_sklearn() -> None:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    features, target = data()
    with mlflow.start_run(run_name="boosted"):
        GradientBoostingClassifier(n_estimators=4).fit(features, target, monitor=callbacks.sklearn())
    with mlflow.start_run(run_name="fitted"):
        estimator = LogisticRegression(max_iter=3).set_callbacks(callbacks.sklearn("accuracy"))
        estimator.fit(features, target)
        print(estimator.score(features, target))
    with mlflow.start_run(run_name="searched"):
        search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1]}, cv=2, n_jobs=2)
        search.set_callbacks(callbacks.sklearn()).fit(features, target)
        print(search.best_score_)


def train_keras() -> None:
    import keras  # type: ignore[import-not-found, unused-ignore]

    features, target = data()
    model = keras.Sequential([keras.Input((13,)), keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    for name, steps in (("epochs", None), ("steps", 2)):
        with mlflow.start_run(run_name=name):
            model.fit(
                features, target, epochs=3, verbose=0, batch_size=89, callbacks=[callbacks.keras(steps)]
            )
    with mlflow.start_run(run_name="tested"):
        model.evaluate(features, target, verbose=0, callbacks=[callbacks.keras()])


def network() -> tuple[Any, Any]:
    """A Lightning module, and its data."""
    import lightning  # type: ignore[import-not-found, unused-ignore]
    import torch  # type: ignore[import-not-found, unused-ignore]

    class Classifier(lightning.LightningModule):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self, width: int = 13) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 3)

        def training_step(self, batch: Any, number: int) -> Any:
            loss = torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    features, target = data()
    rows = torch.utils.data.TensorDataset(torch.from_numpy(features), torch.from_numpy(target))
    return Classifier(), torch.utils.data.DataLoader(rows, batch_size=89)


def train_lightning() -> None:
    import lightning

    for name, steps in (("epochs", None), ("steps", 2)):
        module, loader = network()
        with mlflow.start_run(run_name=name):
            trainer = lightning.Trainer(
                max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
                enable_progress_bar=False, callbacks=[callbacks.lightning(steps)],
            )  # fmt: skip
            trainer.fit(module, loader)


def train_transformers() -> None:
    import torch
    import transformers  # type: ignore[import-not-found, unused-ignore]

    class Model(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(13, 3)

        def forward(self, features: Any, labels: Any) -> Any:
            logits = self.layer(features)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    features, target = data()
    rows = [{"features": row, "labels": int(label)} for row, label in zip(features, target, strict=True)]
    arguments = transformers.TrainingArguments(
        output_dir="out", max_steps=4, logging_steps=2, report_to=[], use_cpu=True, save_strategy="no"
    )
    with mlflow.start_run(run_name="trained"):
        transformers.Trainer(
            Model(), arguments, train_dataset=rows, callbacks=[callbacks.transformers()]
        ).train()


globals()[f"train_{sys.argv[1]}"]()
