"""`Traces`: what MLflow's clients trace of programs. Spans are files among the artifacts; the rest is kept here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from projrun.tracking.entities import Tag


class Assessment(NamedTuple):
    """A judgement of a trace; `body` is the JSON of MLflow's message, which is not looked into."""

    assessment_id: str
    body: str


class TraceInfo(NamedTuple):
    """A trace without its spans. Times are milliseconds; `execution_duration` is None until it ends."""

    trace_id: str
    experiment_id: str
    request_time: int
    execution_duration: int | None = None
    state: str = "IN_PROGRESS"
    client_request_id: str = ""
    request_preview: str = ""
    response_preview: str = ""
    metadata: tuple[Tag, ...] = ()
    tags: tuple[Tag, ...] = ()
    assessments: tuple[Assessment, ...] = ()

    def tag(self, key: str) -> str:
        """The value of a tag, or an empty text."""
        return next((tag.value for tag in self.tags if tag.key == key), "")

    def of_metadata(self, key: str) -> str:
        """A value of the metadata, or an empty text."""
        return next((pair.value for pair in self.metadata if pair.key == key), "")


class TracePage(NamedTuple):
    """A page of a search; `next_page_token` is empty on the last."""

    traces: tuple[TraceInfo, ...]
    next_page_token: str = ""


@runtime_checkable
class Traces(Protocol):
    """Traces belong to an experiment. Errors and limits as for `RunStore`."""

    def record_trace(self, trace: TraceInfo) -> TraceInfo:
        """Keep a trace, with the place of its spans as the tag `mlflow.artifactLocation`.

        Of one that is there already, what is given is written over what was there.
        """
        ...

    def get_trace(self, trace_id: str) -> TraceInfo: ...
    def get_traces(self, trace_ids: Sequence[str]) -> tuple[TraceInfo, ...]:
        """Those that exist, in this order."""
        ...

    def search_traces(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> TracePage: ...
    def set_trace_tag(self, trace_id: str, tag: Tag) -> None: ...
    def delete_trace_tag(self, trace_id: str, key: str) -> None: ...
    def link_traces(self, trace_ids: Sequence[str], run_id: str) -> None:
        """Let a search for the run's traces find them, too."""
        ...

    def delete_traces(
        self,
        experiment_id: str,
        *,
        trace_ids: Sequence[str] = (),
        max_request_time: int | None = None,
        max_traces: int | None = None,
    ) -> int:
        """Remove traces for good, the oldest first; how many it were."""
        ...

    def set_assessment(self, trace_id: str, assessment: Assessment) -> None: ...
    def get_assessment(self, trace_id: str, assessment_id: str) -> Assessment: ...
    def delete_assessment(self, trace_id: str, assessment_id: str) -> None: ...
