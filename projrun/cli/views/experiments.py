"""Experiments, for people and for programs."""

from __future__ import annotations

from projrun.cli.rendering import print_facts, print_json, print_text, time_text
from projrun.cli.tables import Layout, Table, print_table, time_cell
from projrun.tracking.entities import Experiment, ExperimentPage

_TABLE = Table(
    "experiments",
    ("ID", "NAME", "CREATED", "UPDATED", "ARTIFACTS"),
    hiding=("ARTIFACTS", "UPDATED", "CREATED"),
    cutting=("NAME", "ARTIFACTS"),
)


def print_list(page: ExperimentPage, layout: Layout, *, as_json: bool) -> None:
    """One row an experiment."""
    if as_json:
        documents = [_document(each) for each in page.experiments]
        print_json({"experiments": documents, "next_page_token": page.next_page_token or None})
        return
    rows = [
        (
            each.experiment_id,
            each.name,
            time_cell(each.creation_time or None),
            time_cell(each.last_update_time or None),
            each.artifact_location,
        )
        for each in page.experiments
    ]
    print_table(_TABLE, rows, layout)
    if page.next_page_token:
        print_text(f"the first {len(rows)}; more with --limit", err=True)


def print_one(experiment: Experiment, *, as_json: bool) -> None:
    """All of one experiment."""
    if as_json:
        print_json(_document(experiment))
        return
    print_facts(
        [
            ("experiment", f"{experiment.name} (id {experiment.experiment_id})"),
            ("stage", experiment.lifecycle_stage),
            ("created", time_text(experiment.creation_time or None)),
            ("updated", time_text(experiment.last_update_time or None)),
            ("artifacts", experiment.artifact_location),
            *((f"tag {tag.key}", tag.value) for tag in experiment.tags),
        ]
    )


def _document(experiment: Experiment) -> dict[str, object]:
    """The keys of `--json`; a contract test pins them."""
    return {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "lifecycle_stage": experiment.lifecycle_stage,
        "creation_time": experiment.creation_time,
        "last_update_time": experiment.last_update_time,
        "artifact_location": experiment.artifact_location,
        "tags": {tag.key: tag.value for tag in experiment.tags},
    }
