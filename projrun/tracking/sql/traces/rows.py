"""Rows of traces become `TraceInfo` values, in the same few queries for any number."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import NotFoundError
from projrun.tracking.entities import Tag
from projrun.tracking.sql.engine import Connection, Row, select_in
from projrun.tracking.traces import Assessment, TraceInfo

COLUMNS = (
    "id, trace_id, experiment_id, request_time, execution_duration, state, client_request_id, request_preview,"
    " response_preview"
)


def from_rows(connection: Connection, rows: Sequence[Row]) -> tuple[TraceInfo, ...]:
    """The traces of rows of COLUMNS, in their order."""
    keys = [row[0] for row in rows]
    tags: dict[int, list[Tag]] = {key: [] for key in keys}
    metadata: dict[int, list[Tag]] = {key: [] for key in keys}
    assessments: dict[int, list[Assessment]] = {key: [] for key in keys}
    pairs = "SELECT trace, key, value FROM {} WHERE trace IN ({{keys}}) ORDER BY trace, key"
    for key, *pair in select_in(connection, pairs.format("trace_tags"), keys):
        tags[key].append(Tag(*pair))
    for key, *pair in select_in(connection, pairs.format("trace_metadata"), keys):
        metadata[key].append(Tag(*pair))
    statement = (
        "SELECT trace, assessment_id, body FROM trace_assessments WHERE trace IN ({keys})"
        " ORDER BY trace, assessment_id"
    )
    for key, *assessment in select_in(connection, statement, keys):
        assessments[key].append(Assessment(*assessment))
    return tuple(
        TraceInfo(trace_id, str(experiment_id), *rest)._replace(
            metadata=tuple(metadata[key]), tags=tuple(tags[key]), assessments=tuple(assessments[key])
        )
        for key, trace_id, experiment_id, *rest in rows
    )


def get(connection: Connection, trace_id: str) -> TraceInfo:
    """Raises NotFoundError."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM traces WHERE trace_id = ?", (trace_id,)).fetchall()
    if not rows:
        raise missing(trace_id)
    return from_rows(connection, rows)[0]


def key_of(connection: Connection, trace_id: str) -> int:
    """The key that other tables know a trace by. Raises NotFoundError."""
    row = connection.execute("SELECT id FROM traces WHERE trace_id = ?", (trace_id,)).fetchone()
    if row is None:
        raise missing(trace_id)
    key: int = row[0]
    return key


def missing(trace_id: str) -> NotFoundError:
    """The error for an id that no trace has."""
    return NotFoundError(f"Trace with ID '{trace_id}' not found.")
