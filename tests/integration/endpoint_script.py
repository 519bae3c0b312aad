"""A training script as people write them, for mlflow 2 and 3: logs everything, then reads all of it back.

Run by a Python that has mlflow and scikit-learn, with MLFLOW_TRACKING_URI set. Prints one JSON object.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy  # of the Python that runs this
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet

MLFLOW3 = int(mlflow.__version__.split(".")[0]) >= 3
FEATURES, TARGET = load_diabetes(return_X_y=True)


def train(folder: Path) -> tuple[str, list[str], Any]:
    """Log a run; the answer is its id, the URIs that its models can be loaded by, and the model."""
    (folder / "tree" / "sub").mkdir(parents=True)
    (folder / "tree" / "a b.txt").write_text("a")
    (folder / "tree" / "sub" / "ü.txt").write_text("u", encoding="utf-8")
    (folder / "big.bin").write_bytes(os.urandom(3_000_000))
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("p", 1)
        mlflow.log_params({"a": "x y", "b": 2})
        for step, value in enumerate((1.5, math.nan, math.inf)):
            mlflow.log_metric("m", value, step=step)
        mlflow.log_metrics({"q": 1, "r": 2}, step=4)
        mlflow.set_tags({"team": "red", "gone": "1"})
        mlflow.delete_tag("gone")
        mlflow.log_dict({"a": 1}, "conf/d.json")
        mlflow.log_text("hi", "t.txt")
        mlflow.log_artifact(str(folder / "big.bin"))
        mlflow.log_artifacts(str(folder / "tree"), "tree")
        dataset = mlflow.data.from_numpy(FEATURES, targets=TARGET, name="diabetes")
        mlflow.log_input(dataset, context="training")
        model = ElasticNet().fit(FEATURES, TARGET)
        old = mlflow.sklearn.log_model(model, artifact_path="old", registered_model_name="wine")
        uris = [f"runs:/{run.info.run_id}/old", old.model_uri, "models:/wine/1", "models:/wine/latest"]
        if MLFLOW3:
            new = mlflow.sklearn.log_model(model, name="new", registered_model_name="wine")
            uris += [f"runs:/{run.info.run_id}/new", new.model_uri, "models:/wine/2"]
    return run.info.run_id, uris, model


def autolog() -> dict[str, Any]:
    """A run that scikit-learn's autologging fills."""
    mlflow.sklearn.autolog()
    with mlflow.start_run() as run:
        ElasticNet(alpha=0.3).fit(FEATURES, TARGET)
    found = MlflowClient().get_run(run.info.run_id)
    return {"alpha": found.data.params["alpha"], "metrics": sorted(found.data.metrics)}


def read_back(run_id: str, folder: Path) -> dict[str, Any]:
    """What the client finds of the run."""
    client = MlflowClient()
    client.update_run(run_id, name="renamed")
    run = client.get_run(run_id)
    mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="tree", dst_path=str(folder / "out"))
    big = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="big.bin")
    found = client.search_runs(
        [run.info.experiment_id],
        "metrics.q >= 1 and params.a = 'x y' and tags.team LIKE 're%'",
        order_by=["metrics.q DESC"],
    )
    return {
        "status": run.info.status,
        "name": run.info.run_name,
        "params": run.data.params,
        "metrics": {key: str(value) for key, value in run.data.metrics.items()},
        "team": run.data.tags["team"],
        "gone": run.data.tags.get("gone"),
        "dataset": run.inputs.dataset_inputs[0].dataset.name,
        "history": [(metric.step, str(metric.value)) for metric in client.get_metric_history(run_id, "m")],
        "artifacts": sorted(info.path for info in client.list_artifacts(run_id)),
        "tree": sorted(str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*.txt")),
        "big": Path(big).read_bytes() == (folder / "big.bin").read_bytes(),
        "text": mlflow.artifacts.load_text(f"{run.info.artifact_uri}/t.txt"),
        "found": [each.info.run_id == run_id for each in found],
        "frame": len(mlflow.search_runs(experiment_names=["endpoint"])),
    }


def main() -> None:
    """Log, read back, print."""
    warnings.filterwarnings("ignore")
    mlflow.set_experiment("endpoint")
    with tempfile.TemporaryDirectory() as name:
        run_id, uris, model = train(Path(name))
        record = read_back(run_id, Path(name))
    expected = model.predict(FEATURES[:3])
    for uri in uris:
        assert numpy.allclose(mlflow.sklearn.load_model(uri).predict(FEATURES[:3]), expected), uri
    record["loaded"] = len(uris)
    record["autolog"] = autolog()
    with mlflow.start_run(run_id=run_id):
        mlflow.log_metric("resumed", 1)
    record["resumed"] = MlflowClient().get_run(run_id).data.metrics["resumed"]
    try:
        MlflowClient().log_param(run_id, "p", "other")
    except mlflow.MlflowException as error:
        record["refused"] = error.error_code
    json.dump(record, sys.stdout)


if __name__ == "__main__":
    main()
