"""Fills a store with the installed mlflow: `python fill_script.py URI RUNS POINTS [PREFIX]`."""

import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking import MlflowClient

MLFLOW3 = int(mlflow.__version__.partition(".")[0]) >= 3
uri, count, points = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
client = MlflowClient()
prefix = sys.argv[4] if len(sys.argv) > 4 else ""


def upload(run_id: str, name: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name.rpartition("/")[2])
        file.write_text(text)
        client.log_artifact(run_id, str(file), name.rpartition("/")[0] or None)


def batches(run_id: str, metrics: list[Metric]) -> None:
    for start in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[start : start + 1000])


wine = client.create_experiment(
    f"{prefix}wine", tags={"team": "cellar", "mlflow.note.content": "Red & white\nin two lines"}
)
gone = client.create_experiment(f"{prefix}gone")
runs: list[str] = []
for number in range(count):
    parent = {"mlflow.parentRunId": runs[-1]} if number % 5 == 1 else {}
    run = client.create_run(wine, start_time=1000 + number, tags=parent, run_name=f"run-{number}")
    run_id = run.info.run_id
    runs.append(run_id)
    client.log_batch(
        run_id,
        params=[Param("alpha", str(number / 7)), Param("deep/er", "x"), Param("empty", "")],
        tags=[RunTag("note", "line one\nline two ü"), RunTag("of", f"runs:/{run_id}/model")],
    )
    keys = ("loss", "val/acc") if points > 1 else ("loss",)
    for key in keys:
        batches(
            run_id,
            [Metric(key, 1 / (step + 1 + number), 5000 + step, step) for step in range(points // len(keys))],
        )
    if number % 10 == 0:
        client.log_batch(
            run_id, metrics=[Metric("odd", float("nan"), 1, 0), Metric("odd", -float("inf"), 2, 1)]
        )
    if number % 20 == 0:
        upload(run_id, "notes/a.txt", f"artifact of {number}\n")
        data = Dataset(f"data-{number % 3}", "d1", "local", '{"uri": "/data"}', '{"s": 1}', '{"rows": 3}')
        client._tracking_client.store.log_inputs(
            run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "training")])]
        )
    status = ("FINISHED", "FAILED", "KILLED", "RUNNING")[number % 4 if number < 8 else 0]
    if status != "RUNNING":
        client.set_terminated(run_id, status, 9000 + number)
client.delete_run(runs[2])
lost = client.create_run(gone, start_time=5, run_name="lost").info.run_id
client.log_metric(lost, "m", 2.5, 3, 4)
client.set_terminated(lost, "FINISHED", 6)
client.delete_experiment(gone)

source = client.get_run(runs[0]).info.artifact_uri + "/model"
upload(runs[0], "model/MLmodel", "flavors: {}\n")
client.create_registered_model(f"{prefix}forest", {"kind": "trees"}, "Trees in rows")
for number in range(4):
    client.create_model_version(
        f"{prefix}forest", source, runs[0], tags={"n": str(number)}, description=f"no {number}"
    )
client.delete_model_version(f"{prefix}forest", "2")
client.set_registered_model_alias(f"{prefix}forest", "champion", "3")
client.transition_model_version_stage(f"{prefix}forest", "1", "Production")
client.create_registered_model(f"{prefix}bare")
if MLFLOW3:
    from mlflow.entities import LoggedModelInput, LoggedModelOutput, LoggedModelStatus

    for number in range(3):
        model = client.create_logged_model(
            wine, f"net-{number}", runs[0], tags={"t": "1"}, params={"depth": str(number)}, model_type="cnn"
        )
        named = {"dataset_name": "data-0", "dataset_digest": "d1", "model_id": model.model_id}
        client.log_batch(
            runs[0],
            metrics=[Metric(f"score-{number}", 0.5 + step, 7 + step, step, **named) for step in range(3)],
        )
        client.log_batch(runs[0], metrics=[Metric("common", 0.25, 7, 1, model_id=model.model_id)])
        client.log_outputs(runs[0], [LoggedModelOutput(model.model_id, number)])
        if number == 0:
            client._tracking_client.store.log_inputs(runs[1], [], [LoggedModelInput(model.model_id)])
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "MLmodel").write_text("flavors: {}\n")
                client.log_model_artifacts(model.model_id, folder)
        if number != 1:
            client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
        if number == 0:
            client.create_registered_model(f"{prefix}net")
            client.create_model_version(
                f"{prefix}net", f"models:/{model.model_id}", runs[0], model_id=model.model_id
            )
    client.delete_logged_model(model.model_id)
