"""What the steps log, through MLflow's REST API, so that they need no package at all.

A project that depends on mlflow calls `mlflow.log_metric` and `mlflow.log_artifact` instead.
"""

import json
import os
import shutil
import time
import urllib.parse
import urllib.request
from pathlib import Path

RUN = os.environ["MLFLOW_RUN_ID"]
API = os.environ["MLFLOW_TRACKING_URI"].rstrip("/") + "/api/2.0"


def log_metric(name: str, value: float) -> None:
    """Log a metric of this run."""
    metric = {"run_id": RUN, "key": name, "value": value, "timestamp": int(time.time() * 1000), "step": 0}
    _call("POST", f"{API}/mlflow/runs/log-metric", json.dumps(metric).encode())


def log_artifact(file: Path, folder: str = "") -> None:
    """Copy a file to the artifacts of this run."""
    run = json.loads(_call("GET", f"{API}/mlflow/runs/get?run_id={RUN}"))["run"]
    root = urllib.parse.urlsplit(run["info"]["artifact_uri"])
    if root.scheme in ("", "file"):  # a folder of this machine
        place = Path(urllib.parse.unquote(root.path) if root.scheme else run["info"]["artifact_uri"], folder)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
        return
    if root.scheme != "mlflow-artifacts":
        raise SystemExit(f"these steps log artifacts to a folder or a tracking server, not to {root.scheme}:")
    path = "/".join(part for part in (root.path.strip("/"), folder, file.name) if part)
    _call("PUT", f"{API}/mlflow-artifacts/artifacts/{urllib.parse.quote(path)}", file.read_bytes())


def _call(method: str, url: str, body: bytes | None = None) -> bytes:
    headers = {"Content-Type": "application/json" if method == "POST" else "application/octet-stream"}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
