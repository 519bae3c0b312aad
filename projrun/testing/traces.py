"""The conformance kit of traces.

class TestMyStore(TracesConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RunStore]: ...
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest

from projrun.errors import InvalidValueError, NotFoundError
from projrun.testing.run_store_base import NO_EXPERIMENT, ConformanceBase
from projrun.tracking.entities import Run, Tag
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.traces import Assessment, TraceInfo, Traces

PLACE = "mlflow.artifactLocation"


def _new(experiment_id: str, name: str, number: int, **given: object) -> TraceInfo:
    trace = TraceInfo(
        f"tr-{uuid.uuid4().hex}",
        experiment_id,
        1_000 + number,
        10 * number,
        "OK",
        metadata=(Tag("mlflow.trace.session", f"s{number % 2}"),),
        tags=(Tag("mlflow.traceName", name),),
    )
    return trace._replace(**given)  # type: ignore[arg-type]


def _alone(trace: TraceInfo) -> TraceInfo:
    return trace._replace(tags=(), metadata=(), assessments=())


def _judged(assessment_id: str, *, value: bool) -> Assessment:
    source = {"source_type": "HUMAN", "source_id": "ann"}
    body = {"assessment_name": "right", "source": source, "feedback": {"value": value}}
    return Assessment(assessment_id, json.dumps(body))


class TracesConformance(ConformanceBase):
    """Traces and their search."""

    @pytest.fixture
    def traces(self, store: RunStore) -> Traces:
        """The part of the store that is tested."""
        return part_of(store, Traces)

    def test_trace_is_kept_whole(self, traces: Traces, experiment_id: str) -> None:
        judged = _judged("a-1", value=True)
        made = _new(experiment_id, "whole", 3, request_preview="in", assessments=(judged,))
        found = traces.record_trace(made)
        place = found.tag(PLACE)
        assert place.endswith(f"/{experiment_id}/traces/{made.trace_id}/artifacts")
        assert [each.assessment_id for each in found.assessments] == ["a-1"]
        assert _alone(found) == _alone(made)
        assert {*made.tags, Tag(PLACE, place)} <= {*found.tags}  # MLflow adds tags of its own
        assert {*made.metadata} <= {*found.metadata}
        assert traces.get_trace(made.trace_id) == found
        assert traces.get_traces(["tr-none", made.trace_id]) == (found,)

    def test_tags_and_assessments_of_a_trace(self, traces: Traces, experiment_id: str) -> None:
        trace_id = traces.record_trace(_new(experiment_id, "tagged", 1)).trace_id
        traces.set_trace_tag(trace_id, Tag("team", "a"))
        traces.set_trace_tag(trace_id, Tag("team", "b"))
        assert traces.get_trace(trace_id).tag("team") == "b"
        traces.delete_trace_tag(trace_id, "team")
        with pytest.raises(NotFoundError, match="No trace tag with key 'team'"):
            traces.delete_trace_tag(trace_id, "team")
        for value in (True, False):
            traces.set_assessment(trace_id, _judged("a-2", value=value))
            (found,) = traces.get_trace(trace_id).assessments
            assert found.assessment_id == "a-2"
            assert json.loads(found.body)["feedback"]["value"] is value
            assert json.loads(traces.get_assessment(trace_id, "a-2").body) == json.loads(found.body)
        traces.delete_assessment(trace_id, "a-2")
        with pytest.raises(NotFoundError):
            traces.get_assessment(trace_id, "a-2")

    def test_trace_that_is_not_there(self, traces: Traces) -> None:
        with pytest.raises(NotFoundError, match="Trace with ID 'tr-none'"):
            traces.get_trace("tr-none")

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("", "dcba"),
            ("name = 'b'", "b"),
            ("tags.`mlflow.traceName` = 'c'", "c"),
            ("timestamp_ms >= 1002", "dc"),
            ("execution_time < 20", "ba"),
            ("end_time_ms = 1011", "b"),
            ("status = 'ERROR'", "d"),
            ("attributes.status != 'ERROR' AND tags.odd = '1'", "b"),
            ("metadata.`mlflow.trace.session` = 's0'", "ca"),
            ("request_metadata.`mlflow.trace.session` LIKE 's1%'", "db"),
            ("tags.odd IS NULL", "ca"),
        ],
    )
    def test_traces_by_filter(self, traces: Traces, experiment_id: str, text: str, wanted: str) -> None:
        _record_four(traces, experiment_id)
        found = traces.search_traces([experiment_id], filter_string=text).traces
        assert "".join(trace.tag("mlflow.traceName") for trace in found) == wanted

    def test_traces_in_order_and_pages(self, traces: Traces, experiment_id: str) -> None:
        _record_four(traces, experiment_id)
        page = traces.search_traces([experiment_id], order_by=["timestamp_ms ASC"], max_results=3)
        rest = traces.search_traces(
            [experiment_id], order_by=["timestamp_ms ASC"], page_token=page.next_page_token
        )
        names = [trace.tag("mlflow.traceName") for trace in page.traces + rest.traces]
        assert (names, rest.next_page_token) == (["a", "b", "c", "d"], "")

    def test_traces_of_a_run(self, traces: Traces, run: Run) -> None:
        _record_four(traces, run.experiment_id)
        made = traces.record_trace(
            _new(run.experiment_id, "made", 9, metadata=(Tag("mlflow.sourceRun", run.run_id),))
        )
        linked = traces.search_traces([run.experiment_id], filter_string="name = 'a'").traces[0]
        traces.link_traces([linked.trace_id], run.run_id)
        found = traces.search_traces([run.experiment_id], filter_string=f"run_id = '{run.run_id}'").traces
        assert [trace.trace_id for trace in found] == [made.trace_id, linked.trace_id]

    def test_traces_are_deleted_for_good(self, traces: Traces, experiment_id: str) -> None:
        _record_four(traces, experiment_id)
        newest = traces.search_traces([experiment_id], max_results=1).traces[0].trace_id
        assert traces.delete_traces(experiment_id, max_request_time=1_002, max_traces=2) == 2
        assert traces.delete_traces(NO_EXPERIMENT, trace_ids=[newest]) == 0
        assert traces.delete_traces(experiment_id, trace_ids=[newest, "tr-none"]) == 1
        left = traces.search_traces([experiment_id]).traces
        assert [trace.tag("mlflow.traceName") for trace in left] == ["c"]


class TraceEdgesConformance(TracesConformance):
    """As well what MLflow's own server answers with an error of its database, or not at all."""

    def test_trace_is_recorded_again(self, traces: Traces, experiment_id: str) -> None:
        made = _new(experiment_id, "again", 3)
        found = traces.record_trace(made)
        again = traces.record_trace(made._replace(state="ERROR", tags=(Tag("more", "1"),)))
        assert (again.state, set(again.tags)) == ("ERROR", {*found.tags, Tag("more", "1")})
        with pytest.raises(InvalidValueError, match="is in another experiment"):
            traces.record_trace(made._replace(experiment_id="0"))

    def test_traces_that_are_not_there(self, store: RunStore, traces: Traces, experiment_id: str) -> None:
        lost: list[Callable[[], None]] = [
            lambda: traces.set_trace_tag("tr-none", Tag("a", "b")),
            lambda: traces.delete_trace_tag("tr-none", "a"),
        ]
        for call in lost:
            with pytest.raises(NotFoundError, match="Trace with ID 'tr-none' not found"):
                call()
        with pytest.raises(NotFoundError):
            traces.record_trace(_new(NO_EXPERIMENT, "lost", 1))
        part_of(store, LifeCycle).delete_experiment(experiment_id)
        with pytest.raises(InvalidValueError, match="must be in the 'active' state"):
            traces.record_trace(_new(experiment_id, "late", 1))

    @pytest.mark.parametrize(
        ("order", "wanted"), [("execution_time ASC", "abcde"), ("end_time DESC", "dcbae")]
    )
    def test_trace_without_an_end_comes_last_and_pages_do_not_move(
        self, traces: Traces, experiment_id: str, order: str, wanted: str
    ) -> None:
        _record_four(traces, experiment_id)
        traces.record_trace(_new(experiment_id, "e", 5, execution_duration=None, state="IN_PROGRESS"))
        first = traces.search_traces([experiment_id], order_by=[order], max_results=2)
        traces.delete_traces(experiment_id, trace_ids=[first.traces[0].trace_id])
        rest = traces.search_traces([experiment_id], order_by=[order], page_token=first.next_page_token)
        assert "".join(trace.tag("mlflow.traceName") for trace in first.traces + rest.traces) == wanted

    def test_traces_by_a_list_of_names(self, traces: Traces, experiment_id: str) -> None:
        _record_four(traces, experiment_id)
        found = traces.search_traces([experiment_id], filter_string="trace.name IN ('a', 'c')").traces
        assert [trace.tag("mlflow.traceName") for trace in found] == ["c", "a"]


def _record_four(traces: Traces, experiment_id: str) -> None:
    for number, name in enumerate("abcd"):
        traces.record_trace(
            _new(
                experiment_id,
                name,
                number,
                state="ERROR" if name == "d" else "OK",
                tags=(
                    Tag("mlflow.traceName", name),
                    *([Tag("odd", str(number))] if number % 2 else []),
                ),
            )
        )
