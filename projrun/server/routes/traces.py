"""Traces, as clients of MLflow 3.x (`/api/3.0`) and 2.x (`/api/2.0`) call them. Their spans are artifacts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server import permissions, trace_messages, wire
from projrun.server.api import Route, reading, streaming, writing
from projrun.server.errors import error_response
from projrun.server.permissions import Level, Needs, Resource, runs_at
from projrun.server.stores import Stores
from projrun.server.trace_messages import Info, OldInfo, info, old_info
from projrun.tracking.entities import Tag
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.traces import TraceInfo, Traces


class _OfTrace(wire.Message):
    trace_id: str

    @property
    def identifier(self) -> str:
        return self.trace_id


class _OfRequest(wire.Message):
    request_id: str

    @property
    def identifier(self) -> str:
        return self.request_id


class _Trace(wire.Message):
    REFUSED: ClassVar[tuple[str, ...]] = ("spans",)

    trace_info: Info


class _Start(wire.Message):
    trace: _Trace


class _TraceAnswer(msgspec.Struct):
    trace_info: Info


class _Found(msgspec.Struct):
    trace: _TraceAnswer


class _Search(wire.Message):
    locations: tuple[trace_messages.Location, ...] = ()
    filter: str = ""
    max_results: wire.Int64 = 100
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class _Page(msgspec.Struct, omit_defaults=True):
    traces: list[Info] = []
    next_page_token: str = ""


class _Several(wire.Message):
    trace_ids: tuple[str, ...] = ()
    experiment_ids: tuple[str, ...] = ()
    """Only traces of these, where some are given."""


class _Infos(msgspec.Struct, omit_defaults=True):
    trace_infos: list[Info] = []


class _Link(wire.Message):
    run_id: str
    trace_ids: tuple[str, ...] = ()


class _Tag(wire.Message):
    """Of both versions: the path names the trace."""

    trace_id: str = ""
    request_id: str = ""
    key: str = ""
    value: str = ""

    @property
    def identifier(self) -> str:
        return self.trace_id or self.request_id


class _Delete(wire.Message):
    experiment_id: str
    max_timestamp_millis: wire.Int64 | None = None
    max_traces: wire.Int64 | None = None
    request_ids: tuple[str, ...] = ()


class _Deleted(msgspec.Struct):
    traces_deleted: int


class _OldStart(wire.Message):
    experiment_id: str
    timestamp_ms: wire.Int64 = 0
    request_metadata: tuple[wire.Pair, ...] = ()
    tags: tuple[wire.Pair, ...] = ()


class _OldEnd(_OfRequest):
    timestamp_ms: wire.Int64 = 0
    status: str = "TRACE_STATUS_UNSPECIFIED"
    request_metadata: tuple[wire.Pair, ...] = ()
    tags: tuple[wire.Pair, ...] = ()


class _OldFound(msgspec.Struct):
    trace_info: OldInfo


class _OldSearch(wire.Message):
    experiment_ids: tuple[str, ...] = ()
    filter: str = ""
    max_results: wire.Int64 = 100
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class _OldPage(msgspec.Struct, omit_defaults=True):
    traces: list[OldInfo] = []
    next_page_token: str = ""


def _start(store: RunStore, message: _Start) -> _Found:
    trace = part_of(store, Traces).record_trace(message.trace.trace_info.entity())
    return _Found(_TraceAnswer(info(trace)))


def _get(store: RunStore, message: _OfTrace) -> _Found:
    return _Found(_TraceAnswer(info(part_of(store, Traces).get_trace(message.trace_id))))


def _get_several(store: RunStore, message: _Several) -> _Infos:
    found = part_of(store, Traces).get_traces(message.trace_ids)
    wanted = message.experiment_ids
    return _Infos([info(trace) for trace in found if not wanted or trace.experiment_id in wanted])


def _experiments(message: _Search) -> list[str]:
    return [location.mlflow_experiment.experiment_id for location in message.locations]


def _search(store: RunStore, message: _Search) -> _Page:
    page = part_of(store, Traces).search_traces(
        _experiments(message),
        filter_string=message.filter,
        max_results=message.max_results,
        order_by=message.order_by,
        page_token=message.page_token,
    )
    return _Page([info(trace) for trace in page.traces], page.next_page_token)


def _set_tag(store: RunStore, message: _Tag) -> None:
    part_of(store, Traces).set_trace_tag(message.identifier, Tag(message.key, message.value))


def _delete_tag(store: RunStore, message: _Tag) -> None:
    part_of(store, Traces).delete_trace_tag(message.identifier, message.key)


def _link(store: RunStore, message: _Link) -> None:
    part_of(store, Traces).link_traces(message.trace_ids, message.run_id)


def _delete(store: RunStore, message: _Delete) -> _Deleted:
    deleted = part_of(store, Traces).delete_traces(
        message.experiment_id,
        trace_ids=message.request_ids,
        max_request_time=message.max_timestamp_millis,
        max_traces=message.max_traces,
    )
    return _Deleted(deleted)


def _start_old(store: RunStore, message: _OldStart) -> _OldFound:
    trace = TraceInfo(
        secrets.token_hex(16),
        message.experiment_id,
        message.timestamp_ms,
        metadata=wire.tags(message.request_metadata),
        tags=wire.tags(message.tags),
    )
    return _OldFound(old_info(part_of(store, Traces).record_trace(trace)))


def _end_old(store: RunStore, message: _OldEnd) -> _OldFound:
    traces = part_of(store, Traces)
    trace = traces.get_trace(message.request_id)
    ended = trace._replace(
        execution_duration=max(0, message.timestamp_ms - trace.request_time),
        state=message.status,
        metadata=(*trace.metadata, *wire.tags(message.request_metadata)),
        tags=(*trace.tags, *wire.tags(message.tags)),
    )
    return _OldFound(old_info(traces.record_trace(ended)))


def _get_old(store: RunStore, message: _OfRequest) -> _OldFound:
    return _OldFound(old_info(part_of(store, Traces).get_trace(message.request_id)))


def _search_old(store: RunStore, message: _OldSearch) -> _OldPage:
    page = part_of(store, Traces).search_traces(
        message.experiment_ids,
        filter_string=message.filter,
        max_results=message.max_results,
        order_by=message.order_by,
        page_token=message.page_token,
    )
    return _OldPage([old_info(trace) for trace in page.traces], page.next_page_token)


async def _no_spans(request: Request, stores: Stores, message: wire.Message) -> Response:
    """MLflow's client then sends the spans as an artifact, as to a server with MLflow's file store."""
    return error_response(501, "NOT_IMPLEMENTED", "REST OTLP span logging is not supported by this server")


def _of_experiments(message: Any) -> list[Resource]:
    return [Resource("experiment", each) for each in _experiments(message)]


def _of_start(message: Any) -> tuple[Resource]:
    return (Resource("experiment", message.trace.trace_info.experiment),)


def _linked_run(message: Any) -> Iterable[tuple[Level, Resource]]:
    return runs_at("EDIT", message.run_id)


_EDIT_STARTED = Needs("EDIT", _of_start)
_READ_LOCATIONS = Needs("READ", _of_experiments)

_NEW: tuple[Route, ...] = (
    writing("POST", "traces", _Start, _start, needs=_EDIT_STARTED, version="3.0"),
    reading("GET", "traces/{trace_id}", _OfTrace, _get, needs=permissions.READ_TRACE, version="3.0"),
    reading("POST", "traces/search", _Search, _search, needs=_READ_LOCATIONS, version="3.0"),
    reading(
        "POST",
        "traces/batchGetInfos",
        _Several,
        _get_several,
        needs=permissions.READ_TRACES,
        version="3.0",
    ),
)
_OLD: tuple[Route, ...] = (
    writing("POST", "traces", _OldStart, _start_old, needs=permissions.EDIT_EXPERIMENT),
    reading("GET", "traces", _OldSearch, _search_old, needs=permissions.READ_EXPERIMENTS),
    writing("PATCH", "traces/{request_id}", _OldEnd, _end_old, needs=permissions.EDIT_TRACE),
    reading("GET", "traces/{request_id}/info", _OfRequest, _get_old, needs=permissions.READ_TRACE),
    writing(
        "POST", "traces/link-to-run", _Link, _link, needs=permissions.EDIT_TRACES._replace(also=_linked_run)
    ),
)


def _both(version: str, name: str) -> tuple[Route, ...]:
    """What is the same for clients of both."""
    tags = f"traces/{{{name}}}/tags"
    return (
        writing("PATCH", tags, _Tag, _set_tag, needs=permissions.EDIT_TRACE, version=version),
        writing("DELETE", tags, _Tag, _delete_tag, needs=permissions.EDIT_TRACE, version=version),
        writing(
            "POST",
            "traces/delete-traces",
            _Delete,
            _delete,
            needs=permissions.EDIT_EXPERIMENT,
            version=version,
        ),
    )


ROUTES = (
    *_NEW,
    *_OLD,
    *_both("3.0", "trace_id"),
    *_both("2.0", "request_id"),
    streaming("POST", ("/v1/traces",), wire.Message, _no_spans, needs=permissions.SIGNED_IN),
)
