"""`projrun runs list --active`: what this machine supervises now; no tracking store is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projrun.cli.active.finding import active_runs_of_store
from projrun.cli.rendering import (
    duration_text,
    on_terminal,
    print_json,
    print_table,
    print_text,
    time_text,
)
from projrun.errors import RequestError
from projrun.running.record.active import ActiveRun
from projrun.running.record.recorder import now
from projrun.settings.options import RUNS_LIST

_ASKING = ("experiment-name", "experiment-id", "filter", "order-by", "deleted")
"""Options that only the store can follow."""
_COLUMNS = ("RUN", "NAME", "STATUS", "DOING", "STARTED", "DURATION")
_LEFT_OUT = ("STATUS", "DURATION", "STARTED")
"""On a narrow terminal, in this order."""


def list_active_runs(values: Mapping[str, Any]) -> None:
    """Print the active runs of a store, from the values of the options of `runs list` by keyword."""
    for option in RUNS_LIST:
        if option.name in _ASKING and values[option.keyword]:
            raise RequestError(f"--{option.name} cannot be combined with --active, which asks no store")
    runs = active_runs_of_store({"tracking-uri": values["tracking_uri"]})[: values["max_results"]]
    if values["as_json"]:
        print_json({"runs": [_document(run) for run in runs]})
    elif not runs:
        print_text("no active runs", err=True)
    else:
        print_table(_COLUMNS, [_row(run) for run in runs], leaving_out=_LEFT_OUT)


def _row(run: ActiveRun) -> tuple[str, ...]:
    mark = run.mark
    return (
        mark.run_id[: 8 if on_terminal() else None],
        mark.run_name,
        mark.status or "RUNNING",
        run.doing if run.is_here else f"{run.doing} on {mark.host}",
        time_text(mark.since),
        duration_text(max(0, now() - mark.since)),
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
