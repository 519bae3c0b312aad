"""Recorded runs, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projrun.cli.rendering import (
    duration_text,
    on_terminal,
    print_facts,
    print_json,
    print_line,
    print_text,
    print_warning,
    time_text,
)
from projrun.cli.tables import (
    Cell,
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
from projrun.tracking.artifacts.listing import artifact_files
from projrun.tracking.entities import Dataset, Run, RunPage
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


_HIDDEN = ("mlflow.note.content", "projrun.source.files", "projrun.source.written")
"""Tags that are shown elsewhere, or are for programs."""
_PARENT = "mlflow.parentRunId"


def print_list(page: RunPage, experiments: Mapping[str, str], layout: Layout, *, nested: bool) -> None:
    """One row a run; `nested` puts children under their parents, for people."""
    nested = nested and on_terminal() and not layout.csv
    runs = _under_parents(page.runs) if nested else [(run, 0) for run in page.runs]
    print_table(TABLE, [_row(run, experiments, depth) for run, depth in runs], layout)
    if page.next_page_token:
        print_text(f"the first {len(page.runs)}; more with --limit", err=True)


def _under_parents(runs: Sequence[Run]) -> list[tuple[Run, int]]:
    """Each run with its depth: children follow their parent where that is listed, also in a circle of tags."""
    listed = {run.run_id for run in runs}
    children: dict[str | None, list[Run]] = {}
    for run in runs:
        parent = run.tag(_PARENT)
        children.setdefault(parent if parent in listed else None, []).append(run)
    found: dict[str, tuple[Run, int]] = {}
    for first in (*children.get(None, ()), *runs):  # those of a circle have no first one
        waiting = [(first, 0)]
        while waiting:
            run, depth = waiting.pop()
            if run.run_id not in found:
                found[run.run_id] = run, depth
                waiting += [(child, depth + 1) for child in reversed(children.get(run.run_id, ()))]
    return list(found.values())


def _row(run: Run, experiments: Mapping[str, str], depth: int) -> tuple[Content, ...]:
    return (
        id_cell(run.run_id),
        Cell(f"{'  ' * (min(depth, 5) - 1)}└ {run.run_name}", run.run_name) if depth else run.run_name,
        run.status,
        experiments.get(run.experiment_id, run.experiment_id),
        run.tag("mlflow.project.entryPoint") or "",
        time_cell(run.start_time),
        duration_cell(run.duration),
        {param.key: param.value for param in run.params},
        {metric.key: number_cell(metric.value) for metric in run.metrics},
        {tag.key: tag.value for tag in run.tags},
    )


def print_best(runs: Sequence[Run], metric: str, layout: Layout) -> None:
    """The best runs, with the metric that says so."""
    table = TABLE._replace(
        columns=("RUN", "NAME", f"metrics.{metric}", "STARTED", "PARAMETERS"),
        extra=("METRICS", "TAGS"),
        hiding=("PARAMETERS", "STARTED"),
    )
    rows = []
    for run in runs:
        cells = dict(zip((*TABLE.columns, *TABLE.extra), _row(run, {}, 0), strict=True))
        value = next(number_cell(one.value) for one in run.metrics if one.key == metric)
        rows.append([{**cells, f"metrics.{metric}": value}[head] for head in (*table.columns, *table.extra)])
    print_table(table, rows, layout._replace(limit=None))


def print_list_json(page: RunPage, experiments: Mapping[str, str]) -> None:
    """The same as one object."""
    documents = [summary(run, experiments.get(run.experiment_id)) for run in page.runs]
    print_json({"runs": documents, "next_page_token": page.next_page_token or None})


def run_document(run: Run, store: RunStore) -> dict[str, Any]:
    """The keys of `projrun runs show --json`; a contract test pins them."""
    experiment = store.get_experiment(run.experiment_id)
    document = summary(run, experiment.name)
    document["models"] = [f"runs:/{run.run_id}/{name}" for name in models_of_run(store, run)]
    document["model_inputs"] = [f"models:/{model_id}" for model_id in run.model_inputs]
    document["datasets"] = [_dataset(dataset) for dataset in run.datasets]
    try:
        repository = store.artifacts(run.artifact_uri)
        document["artifact_folder"] = None if repository.folder is None else str(repository.folder)
        document["artifacts"] = [
            {"path": file.path, "size": file.size} for file in artifact_files(repository)
        ]
    except TrackingError as error:  # the rest of the record is worth showing without them
        print_warning(f"the artifacts cannot be listed: {error.message}")
        document.update(artifact_folder=None, artifacts=[])
    return document


def _dataset(dataset: Dataset) -> dict[str, Any]:
    context = next((tag.value for tag in dataset.tags if tag.key == "mlflow.data.context"), None)
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "context": context,
        "source_type": dataset.source_type,
        "source": dataset.source,
    }


def _dataset_text(dataset: Mapping[str, Any]) -> str:
    context = f" for {dataset['context']}" if dataset["context"] else ""
    return f"{dataset['name']} ({dataset['digest']}){context}"


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
        *(("uses model", uri) for uri in document["model_inputs"]),
        *(("dataset", _dataset_text(dataset)) for dataset in document["datasets"]),
        ("parent", document["parent_run_id"]),
        ("description", document["tags"].get("mlflow.note.content")),
    ]
    print_facts(facts)
    _section("parameters", document["params"])
    _section("metrics", {key: f"{value:g}" for key, value in document["metrics"].items()})
    _section("tags", {key: text for key, text in document["tags"].items() if key not in _HIDDEN})
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


def summary(run: Run, experiment_name: str | None) -> dict[str, Any]:
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
        "parent_run_id": run.tag(_PARENT),
        "params": {param.key: param.value for param in run.params},
        "metrics": {metric.key: metric.value for metric in run.metrics},
        "tags": {tag.key: tag.value for tag in run.tags},
    }
