"""Several runs beside each other, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projrun.cli.quantities import count_text
from projrun.cli.rendering import print_text
from projrun.cli.tables import Content, Layout, Table, number_cell, print_table
from projrun.running.difference import ComparedRow
from projrun.tracking.entities import Run


def comparison_document(runs: Sequence[Run], rows: Sequence[ComparedRow]) -> dict[str, Any]:
    """The keys of `projrun runs compare --json`: equal rows too."""
    return {
        "runs": [
            {
                "run_id": run.run_id,
                "run_name": run.run_name,
                "status": run.status,
                "start_time": run.start_time,
            }
            for run in runs
        ],
        "rows": [{**row._asdict(), "values": list(row.values), "equal": row.equal} for row in rows],
    }


def print_comparison(
    runs: Sequence[Run], rows: Sequence[ComparedRow], layout: Layout, *, everything: bool
) -> None:
    """A row for what differs (`everything`: for all), a column for each run."""
    heads = [f"{' '.join(run.run_name.split())} ({run.run_id[:8]})" for run in runs]
    table = Table("differences", ("WHAT", *heads), hiding=tuple(heads[:1:-1]), cutting=("WHAT", *heads))
    shown = [row for row in rows if everything or not row.equal]
    print_table(table, [_cells(row) for row in shown], layout)
    equal = sum(row.equal for row in rows)
    if equal and not everything and not layout.csv:
        print_text(f"{count_text(equal, 'equal row')} not shown: --all", err=True)


def _cells(row: ComparedRow) -> list[Content]:
    name = row.name if row.section == "facts" else f"{row.section}.{row.name}"
    return [name, *(_cell(value) for value in row.values)]


def _cell(value: str | float | None) -> Content:
    if value is None:
        return ""
    return value if isinstance(value, str) else number_cell(value)
