"""The migration that adds traces."""

from __future__ import annotations

_PAIRS = """(
        trace BIGINT NOT NULL REFERENCES traces,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (trace, key)) WITHOUT ROWID"""

TRACES: tuple[str, ...] = (
    """CREATE TABLE traces (
        id INTEGER PRIMARY KEY,
        trace_id TEXT NOT NULL UNIQUE,
        experiment_id BIGINT NOT NULL REFERENCES experiments,
        request_time BIGINT NOT NULL,
        execution_duration BIGINT,
        end_time BIGINT,
        state TEXT NOT NULL,
        client_request_id TEXT NOT NULL,
        request_preview TEXT NOT NULL,
        response_preview TEXT NOT NULL,
        name TEXT NOT NULL,
        run_id TEXT NOT NULL)""",
    "CREATE INDEX traces_by_time ON traces (experiment_id, request_time, id)",
    f"CREATE TABLE trace_tags {_PAIRS}",
    f"CREATE TABLE trace_metadata {_PAIRS}",
    """CREATE TABLE trace_assessments (
        trace BIGINT NOT NULL REFERENCES traces,
        assessment_id TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (trace, assessment_id)) WITHOUT ROWID""",
    """CREATE TABLE trace_runs (
        trace BIGINT NOT NULL REFERENCES traces,
        run_id TEXT NOT NULL,
        PRIMARY KEY (trace, run_id)) WITHOUT ROWID""",
)
"""`name` is the tag `mlflow.traceName`, `run_id` the metadata `mlflow.sourceRun`, for filters and orderings."""
