"""`SqlTraces`: traces are kept, found and removed."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.artifacts.uris import below
from projrun.tracking.entities import Tag
from projrun.tracking.sql import experiments, runs
from projrun.tracking.sql.engine import UNLIMITED, Connection, Engine, insert_new, marks, select_in, upsert
from projrun.tracking.sql.traces import rows
from projrun.tracking.traces import Assessment, TraceInfo, TracePage

NAME, SOURCE_RUN, PLACE = "mlflow.traceName", "mlflow.sourceRun", "mlflow.artifactLocation"
_COLUMNS = (
    "experiment_id, request_time, execution_duration, end_time, state, client_request_id, request_preview,"
    " response_preview, name, run_id"
)
BESIDE = ("trace_tags", "trace_metadata", "trace_assessments", "trace_runs")
"""Tables whose rows belong to a trace."""


class SqlTraces:
    """The `Traces` of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record_trace(self, trace: TraceInfo) -> TraceInfo:
        """Raises NotFoundError without the experiment, InvalidValueError where that is deleted."""
        ended = None if trace.execution_duration is None else trace.request_time + trace.execution_duration
        with self._engine.writing() as connection:
            experiment = experiments.get_active(connection, trace.experiment_id)
            _check_place(connection, trace)
            place = below(experiment.artifact_location, f"traces/{trace.trace_id}/artifacts")
            values = (
                *(
                    int(experiment.experiment_id),
                    trace.request_time,
                    trace.execution_duration,
                    ended,
                    trace.state,
                ),
                *(trace.client_request_id, trace.request_preview, trace.response_preview),
                *(trace.tag(NAME), trace.of_metadata(SOURCE_RUN)),
            )
            connection.execute(upsert("traces", "trace_id", _COLUMNS), (trace.trace_id, *values))
            key = rows.key_of(connection, trace.trace_id)
            _write(connection, "trace_tags", key, [*trace.tags, Tag(PLACE, place)])
            _write(connection, "trace_metadata", key, trace.metadata)
            for assessment in trace.assessments:
                _set_assessment(connection, key, assessment)
            return rows.get(connection, trace.trace_id)

    def get_trace(self, trace_id: str) -> TraceInfo:
        """Raises NotFoundError."""
        with self._engine.reading() as connection:
            return rows.get(connection, trace_id)

    def get_traces(self, trace_ids: Sequence[str]) -> tuple[TraceInfo, ...]:
        """Those that exist, in this order."""
        statement = f"SELECT {rows.COLUMNS} FROM traces WHERE trace_id IN ({{keys}})"
        with self._engine.reading() as connection:
            found = rows.from_rows(
                connection, list(select_in(connection, statement, dict.fromkeys(trace_ids)))
            )
        known = {trace.trace_id: trace for trace in found}
        return tuple(known[trace_id] for trace_id in dict.fromkeys(trace_ids) if trace_id in known)

    def search_traces(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> TracePage:
        """A page of traces, the newest first where no order is given."""
        from projrun.tracking.sql.search import Search
        from projrun.tracking.sql.traces.search import search

        wanted = Search(filter_string, max_results, order_by, page_token)
        with self._engine.reading() as connection:
            return search(connection, experiment_ids, wanted)

    def set_trace_tag(self, trace_id: str, tag: Tag) -> None:
        """Write one tag over what was there. Raises NotFoundError."""
        with self._engine.writing() as connection:
            key = rows.key_of(connection, trace_id)
            _write(connection, "trace_tags", key, [tag])
            if tag.key == NAME:
                connection.execute("UPDATE traces SET name = ? WHERE id = ?", (tag.value, key))

    def delete_trace_tag(self, trace_id: str, key: str) -> None:
        """Raises NotFoundError where the trace has no such tag."""
        with self._engine.writing() as connection:
            trace = rows.key_of(connection, trace_id)
            deleted = connection.execute("DELETE FROM trace_tags WHERE trace = ? AND key = ?", (trace, key))
            if not deleted.rowcount:
                raise NotFoundError(f"No trace tag with key '{key}' for trace with ID '{trace_id}'")
            if key == NAME:
                connection.execute("UPDATE traces SET name = '' WHERE id = ?", (trace,))

    def link_traces(self, trace_ids: Sequence[str], run_id: str) -> None:
        """Raises NotFoundError for a run or a trace that does not exist."""
        with self._engine.writing() as connection:
            runs.key_of(connection, run_id)
            keys = [rows.key_of(connection, trace_id) for trace_id in trace_ids]
            connection.executemany(insert_new("trace_runs", "trace, run_id"), [(key, run_id) for key in keys])

    def delete_traces(
        self,
        experiment_id: str,
        *,
        trace_ids: Sequence[str] = (),
        max_request_time: int | None = None,
        max_traces: int | None = None,
    ) -> int:
        """How many were removed, the oldest first."""
        until = UNLIMITED if max_request_time is None else max_request_time
        where, values = (
            "experiment_id = ? AND request_time <= ?",
            [experiments.number_of(experiment_id), until],
        )
        if trace_ids:
            where += f" AND trace_id IN ({marks(trace_ids)})"
        with self._engine.writing() as connection:
            found = connection.execute(
                f"SELECT id FROM traces WHERE {where} ORDER BY request_time, trace_id LIMIT ?",
                (*values, *trace_ids, UNLIMITED if max_traces is None else max_traces),
            ).fetchall()
            for table in BESIDE:
                connection.executemany(f"DELETE FROM {table} WHERE trace = ?", found)
            connection.executemany("DELETE FROM traces WHERE id = ?", found)
        return len(found)

    def set_assessment(self, trace_id: str, assessment: Assessment) -> None:
        """Keep an assessment, over the one with its id. Raises NotFoundError."""
        with self._engine.writing() as connection:
            _set_assessment(connection, rows.key_of(connection, trace_id), assessment)

    def get_assessment(self, trace_id: str, assessment_id: str) -> Assessment:
        """Raises NotFoundError."""
        for assessment in self.get_trace(trace_id).assessments:
            if assessment.assessment_id == assessment_id:
                return assessment
        raise NotFoundError(f"Assessment with ID '{assessment_id}' not found for trace '{trace_id}'")

    def delete_assessment(self, trace_id: str, assessment_id: str) -> None:
        """One that is not there is fine, as in MLflow; NotFoundError without the trace."""
        with self._engine.writing() as connection:
            connection.execute(
                "DELETE FROM trace_assessments WHERE trace = ? AND assessment_id = ?",
                (rows.key_of(connection, trace_id), assessment_id),
            )


def _check_place(connection: Connection, trace: TraceInfo) -> None:
    """Who may write into one experiment may not take a trace of another."""
    row = connection.execute(
        "SELECT experiment_id FROM traces WHERE trace_id = ?", (trace.trace_id,)
    ).fetchone()
    if row is not None and str(row[0]) != trace.experiment_id:
        raise InvalidValueError(f"Trace with ID '{trace.trace_id}' is in another experiment.")


def _write(connection: Connection, table: str, trace: int, pairs: Sequence[Tag]) -> None:
    for pair in pairs:
        limits.check_length("key", pair.key, limits.KEY)
    values = {pair.key: pair.value[: limits.TAG_VALUE] for pair in pairs}
    connection.executemany(
        upsert(table, "trace, key", "value"), [(trace, key, values[key]) for key in sorted(values)]
    )


def _set_assessment(connection: Connection, trace: int, assessment: Assessment) -> None:
    connection.execute(upsert("trace_assessments", "trace, assessment_id", "body"), (trace, *assessment))
