"""`projrun runs list --active`: what this machine supervises now; no tracking store is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projrun.cli.active.finding import active_runs_of_store
from projrun.cli.rendering import print_json
from projrun.cli.tables import Content, Layout, Table, duration_cell, id_cell, print_table, time_cell
from projrun.errors import RequestError
from projrun.running.record.active import ActiveRun
from projrun.running.record.recorder import now
from projrun.settings.options import RUNS_LIST

_ASKING = ("experiment-name", "experiment-id", "filter", "order-by", "deleted")
"""Options that only the store can follow."""
_TABLE = Table(
    "active runs",
    ("RUN", "NAME", "STATUS", "DOING", "STARTED", "DURATION"),
    hiding=("STATUS", "DURATION", "STARTED"),
    cutting=("NAME", "DOING"),
)


def list_active_runs(values: Mapping[str, Any]) -> None:
    """Print the active runs of a store, from the values of the options of `runs list` by keyword."""
    for option in RUNS_LIST:
        if option.name in _ASKING and values[option.keyword]:
            raise RequestError(f"--{option.name} cannot be combined with --active, which asks no store")
    runs = active_runs_of_store({"tracking-uri": values["tracking_uri"]})[: values["max_results"]]
    if values["as_json"]:
        print_json({"runs": [_document(run) for run in runs]})
    else:
        print_table(_TABLE, [_row(run) for run in runs], Layout(values["columns"], values["as_csv"]))


def _row(run: ActiveRun) -> tuple[Content, ...]:
    mark = run.mark
    return (
        id_cell(mark.run_id),
        mark.run_name,
        mark.status or "RUNNING",
        run.doing if run.is_here else f"{run.doing} on {mark.host}",
        time_cell(mark.since),
        duration_cell(max(0, now() - mark.since)),
    )


def _document(run: ActiveRun) -> dict[str, object]:
    mark = run.mark
    return {
        "run_id": mark.run_id,
        "run_name": mark.run_name,
        "status": mark.status or "RUNNING",
        "doing": run.doing,
        "start_time": mark.since,
        "tracking_uri": mark.store,
        "host": mark.host,
        "pid": mark.pid,
    }
