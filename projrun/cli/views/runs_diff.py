"""Two runs side by side, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from projrun.cli.quantities import count_text
from projrun.cli.rendering import on_terminal, one_line, print_text, print_warning, time_text
from projrun.cli.tables import Table, has_room, markdown_table, print_table
from projrun.running.difference import MetricRow, Row, RunDifference
from projrun.tracking.entities import Run

_SECTIONS = ("facts", "parameters", "metrics", "packages", "tags")
_LONGEST = 60
_NARROWEST = 20
"""What a value gets at least in the table: a time fits."""
_NOTHING = "-"

Rows = Sequence[Row] | Sequence[MetricRow]


def difference_document(found: RunDifference) -> dict[str, Any]:
    """The keys of `projrun runs diff --json`; a contract test pins them. Whole values, equal rows too."""
    sections: dict[str, Any] = {name: [_row(row) for row in getattr(found, name)] for name in _SECTIONS}
    return {
        "left": _run(found.left),
        "right": _run(found.right),
        **sections,
        "warnings": list(found.warnings),
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "experiment_id": run.experiment_id,
        "status": run.status,
        "start_time": run.start_time,
        "end_time": run.end_time,
    }


def _row(row: Row | MetricRow) -> dict[str, Any]:
    document: dict[str, Any] = {"name": row.name, "left": row.left, "right": row.right, "equal": row.equal}
    return {**document, "difference": row.difference} if isinstance(row, MetricRow) else document


def print_difference(found: RunDifference, *, everything: bool) -> None:
    """What differs (`everything`: all), then a line about what is equal."""
    for warning in found.warnings:
        print_warning(warning)
    table, rows = _table(found, everything=everything)
    columns = table.columns
    if has_room(table, rows, _NARROWEST):
        print_table(table, rows)
    else:
        _print_stacked(columns, rows)
    summary = _summary(found)
    if summary and not everything:
        print_text(f"\nequal: {summary} (--all shows them)")


def markdown(found: RunDifference, *, everything: bool) -> str:
    """The same as a table in Markdown; warnings are said apart."""
    for warning in found.warnings:
        print_warning(warning)
    table, rows = _table(found, everything=everything)
    return markdown_table(table, rows)


def _table(found: RunDifference, *, everything: bool) -> tuple[Table, list[tuple[str, str, str, str]]]:
    columns = (
        "",
        *(f"{' '.join(run.run_name.split())} ({run.run_id[:8]})" for run in (found.left, found.right)),
        "DIFFERENCE",
    )
    rows = [("started", time_text(found.left.start_time), time_text(found.right.start_time), "")]
    for section in _SECTIONS:
        rows.extend(_lines(section, getattr(found, section), everything=everything))
    return Table("differences", columns, cutting=columns[1:3]), rows


def _print_stacked(columns: Sequence[str], rows: Iterable[tuple[str, str, str, str]]) -> None:
    """The table for a terminal without room for two values beside each other: one below the other."""
    print_text("\n".join(map(one_line, (f"left   {columns[1]}", f"right  {columns[2]}"))))
    for name, left, right, change in rows:
        told = not change or change.startswith("only")  # the dash says that
        head = name if told else f"{name}  ({change})"
        print_text("\n" + "\n".join(map(one_line, (head, f"  left   {left}", f"  right  {right}"))))


def _lines(section: str, rows: Rows, *, everything: bool) -> Iterator[tuple[str, str, str, str]]:
    word = "" if section == "facts" else f"{_singular(section)} "
    for row in rows:
        if everything or not row.equal:
            yield f"{word}{row.name}", _text(row.left), _text(row.right), _change(row)


def _change(row: Row | MetricRow) -> str:
    if row.equal:
        return "equal"
    if row.left is None or row.right is None:
        return "only right" if row.left is None else "only left"
    if isinstance(row, MetricRow) and row.difference is not None:
        return f"{row.difference:+.6g}"
    return ""


def _text(value: str | float | None) -> str:
    if value is None:
        return _NOTHING
    text = value if isinstance(value, str) else f"{value:.10g}"
    line = text.replace("\n", " ")
    return line if len(line) <= _LONGEST or not on_terminal() else line[: _LONGEST - 1] + "…"


def _summary(found: RunDifference) -> str:
    counts = [(section, sum(row.equal for row in getattr(found, section))) for section in _SECTIONS]
    return ", ".join(count_text(count, _singular(section)) for section, count in counts if count)


def _singular(section: str) -> str:
    return section.removesuffix("s")
