import os
import sys

import mlflow

with mlflow.start_run() as run:
    folder = mlflow.get_artifact_uri().replace("file://", "")
    os.makedirs(os.path.join(folder, "plots"), exist_ok=True)
    with open(os.path.join(folder, "plots", "loss.svg"), "w") as file:
        file.write("<svg><title>%s</title></svg>" % sys.argv[1])
    mlflow.log_metric("loss", 0.25)
    found = [artifact.path for artifact in mlflow.MlflowClient().list_artifacts(run.info.run_id, "plots")]
    assert found == ["plots/loss.svg"], found
