"""`projrun runs metrics`: the history of a metric, drawn on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from projrun.cli.options import json_option, layout_options, tracking_uri_option
from projrun.cli.quantities import count_text
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import on_terminal, one_line, print_json, print_text
from projrun.cli.tables import Layout, Table, number_cell, print_table, terminal_width, time_cell
from projrun.errors import RequestError
from projrun.running.record.lookup import find_run
from projrun.suggestions import did_you_mean
from projrun.tracking.entities import Metric, Run
from projrun.tracking.histories import whole_history

_HEIGHT = 12
_WIDEST = 100
_LATEST = Table("metrics", ("METRIC", "LATEST", "STEP", "TIME"), hiding=("TIME", "STEP"), cutting=("METRIC",))
_HISTORY = Table("points", ("STEP", "VALUE", "TIME"), hiding=("TIME",))


@click.command("metrics", cls=RunCommand)
@run_argument()
@click.argument("key", metavar="[METRIC]", required=False)
@click.option("-n", "--limit", metavar="N", type=click.IntRange(1), help="Only the last N points.")
@layout_options
@tracking_uri_option
@json_option
def show_metrics(
    run_id: str, key: str | None, tracking_uri: str | None, as_json: bool, layout: Layout
) -> None:
    """Show the history of a metric, or the latest values of all.

    With METRIC, on a terminal a plot, otherwise a table of all points.

    \b
    projrun runs metrics latest
    projrun runs metrics latest loss
    projrun runs metrics -1 loss --csv > loss.csv
    """
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        if key is None:
            _print_latest(run, layout, as_json=as_json)
            return
        known = [metric.key for metric in run.metrics]
        if key not in known:
            raise RequestError(
                f"run {run.run_name} ({run.run_id}) has no metric {key!r}{did_you_mean(key, known)}",
                hint=f"its metrics: {', '.join(known)}" if known else "it has none",
            )
        points = whole_history(store, run.run_id, key)
    points = points[-layout.limit :] if layout.limit else points
    if as_json:
        print_json({"run_id": run.run_id, "key": key, "points": list(map(point_document, points))})
    elif on_terminal() and not layout.csv and layout.columns is None:
        _print_plot(run, key, points)
    else:
        rows = [(str(point.step), number_cell(point.value), time_cell(point.timestamp)) for point in points]
        print_table(_HISTORY, rows, layout._replace(limit=None))


def point_document(point: Metric) -> dict[str, object]:
    """A point in JSON."""
    return {"step": point.step, "value": point.value, "timestamp": point.timestamp}


def _print_latest(run: Run, layout: Layout, *, as_json: bool) -> None:
    if as_json:
        metrics = [{"key": metric.key, **point_document(metric)} for metric in run.metrics]
        print_json({"run_id": run.run_id, "metrics": metrics})
        return
    rows = [
        (metric.key, number_cell(metric.value), str(metric.step), time_cell(metric.timestamp))
        for metric in run.metrics
    ]
    print_table(_LATEST, rows, layout)


def _print_plot(run: Run, key: str, points: Sequence[Metric]) -> None:
    from projrun.cli.views.plots import plot_lines

    width = min(terminal_width(), _WIDEST)
    print_text(one_line(f"{key} of run {run.run_name} ({run.run_id[:8]})"))
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    lines = plot_lines(list(_curve(points)), width, _HEIGHT, ascii_only=ascii_only)
    if lines:
        print_text("\n".join(lines))
    values = [point.value for point in points if point.value == point.value]
    extremes = f", min {min(values):g}, max {max(values):g}" if values else ""
    print_text(f"{count_text(len(points), 'point')}, last {points[-1].value:g}{extremes}")


def _curve(points: Sequence[Metric]) -> Iterator[tuple[float, float]]:
    """By their steps; where all have the same one (clients that give none), in the order they were logged."""
    stepped = len({point.step for point in points}) > 1
    for place, point in enumerate(points):
        yield (point.step if stepped else place), point.value
