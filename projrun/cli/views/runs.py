"""Recorded runs, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projrun.cli.rendering import (
    duration_text,
    print_facts,
    print_json,
    print_line,
    print_text,
    print_warning,
    time_text,
)
from projrun.cli.tables import (
    Content,
    Layout,
    Table,
    duration_cell,
    id_cell,
    number_cell,
    print_table,
    time_cell,
)
from projrun.errors import TrackingError
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Run, RunPage
from projrun.tracking.logged_models import models_of_run
from projrun.tracking.runs import RunStore

TABLE = Table(
    "runs",
    (
        "RUN", "NAME", "STATUS", "EXPERIMENT", "ENTRY POINT", "STARTED", "DURATION", "PARAMETERS", "METRICS",
    ),
    hiding=("ENTRY POINT", "EXPERIMENT", "DURATION", "STARTED", "PARAMETERS", "METRICS"),
    cutting=("NAME", "EXPERIMENT", "PARAMETERS", "METRICS"),
    keyed={"params": "PARAMETERS", "metrics": "METRICS", "tags": "TAGS"},
    extra=("TAGS",),
)  # fmt: skip


def print_list(page: RunPage, experiments: Mapping[str, str], layout: Layout) -> None:
    """One row a run."""
    print_table(TABLE, [_row(run, experiments) for run in page.runs], layout)
    if page.next_page_token:
        print_text(f"the first {len(page.runs)}; more with --limit", err=True)


def _row(run: Run, experiments: Mapping[str, str]) -> tuple[Content, ...]:
    return (
        id_cell(run.run_id),
        run.run_name,
        run.status,
        experiments.get(run.experiment_id, run.experiment_id),
        run.tag("mlflow.project.entryPoint") or "",
        time_cell(run.start_time),
        duration_cell(run.duration),
        {param.key: param.value for param in run.params},
        {metric.key: number_cell(metric.value) for metric in run.metrics},
        {tag.key: tag.value for tag in run.tags},
    )


def print_list_json(page: RunPage, experiments: Mapping[str, str]) -> None:
    """The same as one object."""
    documents = [_summary(run, experiments.get(run.experiment_id)) for run in page.runs]
    print_json({"runs": documents, "next_page_token": page.next_page_token or None})


def run_document(run: Run, store: RunStore) -> dict[str, Any]:
    """The keys of `projrun runs show --json`; a contract test pins them."""
    experiment = store.get_experiment(run.experiment_id)
    document = _summary(run, experiment.name)
    document["models"] = [f"runs:/{run.run_id}/{name}" for name in models_of_run(store, run)]
    try:
        repository = store.artifacts(run.artifact_uri)
        document["artifact_folder"] = None if repository.folder is None else str(repository.folder)
        document["artifacts"] = _artifact_paths(repository)
    except TrackingError as error:  # the rest of the record is worth showing without them
        print_warning(f"the artifacts cannot be listed: {error.message}")
        document.update(artifact_folder=None, artifacts=[])
    return document


def print_run(document: Mapping[str, Any]) -> None:
    """All of one run."""
    facts = [
        ("run", f"{document['run_name']} ({document['run_id']})"),
        ("experiment", f"{document['experiment_name']} (id {document['experiment_id']})"),
        ("status", _status_text(document)),
        ("started", time_text(document["start_time"])),
        ("duration", duration_text(document["duration_ms"])),
        ("artifacts", document["artifact_folder"] or document["artifact_uri"]),
        *(("model", uri) for uri in document["models"]),
    ]
    print_facts(facts)
    _section("parameters", document["params"])
    _section("metrics", {key: f"{value:g}" for key, value in document["metrics"].items()})
    _section("tags", document["tags"])
    artifacts = document["artifacts"]
    _section(
        "artifacts",
        {item["path"]: "" if item["size"] is None else f"{item['size']} bytes" for item in artifacts},
    )


def _status_text(document: Mapping[str, Any]) -> str:
    reason = document["tags"].get("projrun.reason")
    return f"{document['status']}: {reason}" if reason else str(document["status"])


def _section(title: str, content: Mapping[str, str]) -> None:
    if not content:
        return
    print_text(f"\n{title}")
    width = max(len(key) for key in content)
    for key, value in content.items():
        print_line(f"  {key:<{width}}  {value}".rstrip())


def _summary(run: Run, experiment_name: str | None) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "experiment_id": run.experiment_id,
        "experiment_name": experiment_name,
        "status": run.status,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "duration_ms": run.duration,
        "artifact_uri": run.artifact_uri,
        "params": {param.key: param.value for param in run.params},
        "metrics": {metric.key: metric.value for metric in run.metrics},
        "tags": {tag.key: tag.value for tag in run.tags},
    }


def _artifact_paths(repository: ArtifactRepository) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    folders = [""]
    while folders and len(found) < 1000:
        for entry in repository.list(folders.pop()):
            if entry.is_dir:
                folders.append(entry.path)
            else:
                found.append({"path": entry.path, "size": entry.size})
    return sorted(found, key=lambda item: str(item["path"]))
