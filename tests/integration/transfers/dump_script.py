"""Prints all that the installed mlflow finds in a store: `python dump_script.py URI [PREFIX]`, one JSON document.

Ids are those of the store where a run or a model was made, which is in a tag where a server gave another one.
"""

import hashlib
import json
import math
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

RUN, MODEL, VERSION = (f"projrun.origin.{kind}" for kind in ("run_id", "model_id", "model_version"))
SET_BY_SERVERS = (RUN, MODEL, VERSION, "mlflow.modelVersions")
PREFIX = sys.argv[2] if len(sys.argv) > 2 else ""
MLFLOW3 = int(mlflow.__version__.partition(".")[0]) >= 3
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_registry_uri(sys.argv[1])
client = MlflowClient()
new: dict[str, str] = {}


def text(value: Any) -> str:
    return re.sub(r"(?:m-)?[0-9a-f]{32}", lambda match: new.get(match[0], match[0]), value or "")


def pairs(mapping: Any) -> dict[str, str]:
    return {key: text(value) for key, value in sorted(mapping.items()) if key not in SET_BY_SERVERS}


def value(number: float) -> Any:
    return "nan" if math.isnan(number) else max(min(number, sys.float_info.max), -sys.float_info.max)


def files(list_: Any, download: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting = [""]
    while waiting:
        for entry in list_(waiting.pop()):
            if entry.is_dir:
                waiting.append(entry.path)
            else:
                found[entry.path] = download(entry.path)
    return dict(sorted(found.items()))


def run_file(run_id: str, path: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run_id, path, folder)).read_text()


def history(run_id: str, key: str) -> list[Any]:
    points = sorted(
        [[m.timestamp, m.step, value(m.value)] for m in client.get_metric_history(run_id, key)], key=str
    )
    return (
        points
        if len(points) <= 20
        else [len(points), hashlib.sha256(json.dumps(points).encode()).hexdigest()]
    )


def all_runs(experiment_id: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment_id], run_view_type=ViewType.ALL, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def run_document(run_id: str) -> dict[str, Any]:
    run = client.get_run(run_id)
    inputs = run.inputs
    return {
        "info": [run.info.run_name, run.info.status, run.info.start_time, run.info.end_time, run.info.lifecycle_stage],
        "user": run.info.user_id,
        "params": dict(sorted(run.data.params.items())),
        "tags": pairs(run.data.tags),
        "metrics": {key: history(run_id, key) for key in sorted(run.data.metrics)},
        "latest": {key: value(number) for key, number in sorted(run.data.metrics.items())},
        "datasets": sorted(
            [d.dataset.name, d.dataset.digest, d.dataset.source_type, d.dataset.source, d.dataset.schema,
             d.dataset.profile, sorted([tag.key, tag.value] for tag in d.tags)]
            for d in (inputs.dataset_inputs if inputs else [])
        ),
        "model_inputs": sorted(text(m.model_id) for m in (getattr(inputs, "model_inputs", None) or [])),
        "model_outputs": sorted([text(m.model_id), m.step] for m in run.outputs.model_outputs)
        if MLFLOW3 and run.outputs else [],
        "files": files(lambda path: client.list_artifacts(run_id, path), lambda path: run_file(run_id, path)),
    }  # fmt: skip


def model_document(model: Any, hidden: bool) -> dict[str, Any]:
    return {
        "about": [model.name, str(model.status), model.model_type, text(model.source_run_id)],
        "params": dict(sorted(model.params.items())),
        "tags": pairs(model.tags),
        "metrics": sorted(
            [
                m.key,
                m.timestamp,
                m.step,
                value(m.value),
                m.dataset_name or "",
                m.dataset_digest or "",
                text(m.run_id),
            ]
            for m in model.metrics or []
        ),
        "files": sorted(entry.path for entry in client.list_logged_model_artifacts(model.model_id))
        if hasattr(client, "list_logged_model_artifacts") and not hidden
        else [],
    }


def model_ids(experiment_id: str, runs: Iterable[Any]) -> list[str]:
    found = {model.model_id for model in client.search_logged_models([experiment_id])}
    return sorted(
        found | {output.model_id for run in runs if run.outputs for output in run.outputs.model_outputs}
    )


def logged_model(model_id: str) -> Any:
    return client._tracking_client.store.get_logged_model(model_id, allow_deleted=True)


def is_hidden(model_id: str) -> bool:
    try:
        client.get_logged_model(model_id)
    except MlflowException:
        return True
    return False


def registered(model: Any) -> dict[str, Any]:
    found = client.get_registered_model(model.name)
    versions = sorted(
        client.search_model_versions(f"name='{model.name}'"), key=lambda each: int(each.version)
    )
    return {
        "description": found.description or "",
        "tags": pairs(found.tags),
        "aliases": {alias: str(version) for alias, version in sorted((found.aliases or {}).items())},
        "versions": {
            str(each.version): [each.current_stage, each.status, each.description or "", text(each.run_id),
                                pairs(each.tags), text(each.source).rpartition("/")[2]]
            for each in versions
        },
    }  # fmt: skip


experiments = [
    each for each in client.search_experiments(view_type=ViewType.ALL) if each.name.startswith(PREFIX)
]
for experiment in experiments:
    for run in all_runs(experiment.experiment_id):
        new[run.info.run_id] = run.data.tags.get(RUN, run.info.run_id)
    if MLFLOW3:
        for model_id in model_ids(experiment.experiment_id, all_runs(experiment.experiment_id)):
            new[model_id] = logged_model(model_id).tags.get(MODEL, model_id)
document: dict[str, Any] = {"experiments": {}, "registered": {}}
for experiment in experiments:
    runs = list(all_runs(experiment.experiment_id))
    about = {
        "stage": experiment.lifecycle_stage,
        "tags": pairs(experiment.tags),
        "runs": {new[run.info.run_id]: run_document(run.info.run_id) for run in runs},
    }
    if MLFLOW3:
        ids = model_ids(experiment.experiment_id, runs)
        about["models"] = {
            new[model_id]: [is_hidden(model_id), model_document(logged_model(model_id), is_hidden(model_id))]
            for model_id in ids
        }
    document["experiments"][experiment.name] = about
for model in client.search_registered_models():
    if not model.name.startswith(PREFIX):
        continue
    document["registered"][model.name] = registered(model)
print(json.dumps(document, sort_keys=True))
