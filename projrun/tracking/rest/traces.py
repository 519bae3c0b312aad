"""`RestTraces`: the traces of a tracking server. MLflow has these routes since version 3."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from projrun.errors import NotFoundError
from projrun.tracking.entities import Tag
from projrun.tracking.rest import wire
from projrun.tracking.rest.fields import Json, MalformedError, integer, items, nested, optional_text, text
from projrun.tracking.rest.transport import API, Transport
from projrun.tracking.traces import Assessment, TraceInfo, TracePage

_TRACES = "api/3.0/mlflow/traces"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_CHANGEABLE = ("assessment_name", "expectation", "feedback", "rationale", "metadata")
_MOST_DELETED = 100
"""Traces that one request may name, to MLflow's hosted servers."""


class RestTraces:
    """The `Traces` of a tracking server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def record_trace(self, trace: TraceInfo) -> TraceInfo:
        """Keep a trace; of one that is there already, what is given is written over what was there."""
        body = {"trace": {"trace_info": _body(trace)}}
        return self._transport.post(_TRACES, body, _trace_answer)

    def get_trace(self, trace_id: str) -> TraceInfo:
        """Raises NotFoundError."""
        return self._transport.get(_path(trace_id), [], _trace_answer)

    def get_traces(self, trace_ids: Sequence[str]) -> tuple[TraceInfo, ...]:
        """Those that exist, in this order."""
        body = {"trace_ids": list(dict.fromkeys(trace_ids))}
        found = self._transport.post(f"{_TRACES}/batchGetInfos", body, _infos_answer)
        known = {trace.trace_id: trace for trace in found}
        return tuple(known[trace_id] for trace_id in body["trace_ids"] if trace_id in known)

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
        body: dict[str, object] = {
            "locations": [_location(each) for each in experiment_ids],
            **wire.search_body(filter_string, max_results, order_by, page_token),
        }
        return self._transport.post(f"{_TRACES}/search", body, _page)

    def set_trace_tag(self, trace_id: str, tag: Tag) -> None:
        """Write one tag over what was there. Raises NotFoundError."""
        self._transport.post(_tags(trace_id), tag._asdict(), wire.nothing, method="PATCH")

    def delete_trace_tag(self, trace_id: str, key: str) -> None:
        """Raises NotFoundError where the trace has no such tag."""
        self._transport.post(_tags(trace_id), {"key": key}, wire.nothing, method="DELETE", idempotent=False)

    def link_traces(self, trace_ids: Sequence[str], run_id: str) -> None:
        """Let a search for the run's traces find them, too."""
        body = {"trace_ids": list(trace_ids), "run_id": run_id}
        self._transport.post(f"{API}traces/link-to-run", body, wire.nothing)

    def delete_traces(
        self,
        experiment_id: str,
        *,
        trace_ids: Sequence[str] = (),
        max_request_time: int | None = None,
        max_traces: int | None = None,
    ) -> int:
        """How many were removed, the oldest first."""
        limits = {"max_timestamp_millis": max_request_time, "max_traces": max_traces}
        body: dict[str, object] = {"experiment_id": experiment_id}
        body |= {name: value for name, value in limits.items() if value is not None}
        starts = range(0, len(trace_ids), _MOST_DELETED)
        chunks = [{"request_ids": list(trace_ids[start : start + _MOST_DELETED])} for start in starts]
        route = f"{API}traces/delete-traces"
        return sum(self._transport.post(route, body | some, _deleted_answer) for some in chunks or [{}])

    def set_assessment(self, trace_id: str, assessment: Assessment) -> None:
        """Keep an assessment, over the one with its id. Raises NotFoundError."""
        body = _assessment_body(trace_id, assessment)
        one = _assessment_path(trace_id, assessment.assessment_id)
        try:
            self._transport.get(one, [], _assessment_answer)
        except NotFoundError:
            self._transport.post(_assessment_path(trace_id), {"assessment": body}, wire.nothing)
            return
        mask = [_camel(name) for name in _CHANGEABLE if name in body]
        change = {"assessment": body, "update_mask": ",".join(mask)}
        self._transport.post(one, change, wire.nothing, method="PATCH")

    def get_assessment(self, trace_id: str, assessment_id: str) -> Assessment:
        """Raises NotFoundError."""
        return self._transport.get(_assessment_path(trace_id, assessment_id), [], _assessment_answer)

    def delete_assessment(self, trace_id: str, assessment_id: str) -> None:
        """One that is not there is fine; NotFoundError without the trace."""
        path = _assessment_path(trace_id, assessment_id)
        self._transport.post(path, {}, wire.nothing, method="DELETE")


def _path(trace_id: str) -> str:
    return f"{_TRACES}/{quote(trace_id, safe='')}"


def _tags(trace_id: str) -> str:
    return f"{API}traces/{quote(trace_id, safe='')}/tags"


def _assessment_path(trace_id: str, *assessment_id: str) -> str:
    return "/".join([f"{_path(trace_id)}/assessments", *(quote(each, safe="") for each in assessment_id)])


def _location(experiment_id: str) -> dict[str, object]:
    return {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}}


def _camel(name: str) -> str:
    """A field's name as protobuf's JSON has it in a mask."""
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def _body(trace: TraceInfo) -> dict[str, object]:
    time = (_EPOCH + trace.request_time * _MILLISECOND).isoformat(timespec="milliseconds")
    duration = trace.execution_duration
    body: dict[str, object] = {
        "trace_id": trace.trace_id,
        "trace_location": _location(trace.experiment_id),
        "request_time": time.replace("+00:00", "Z"),
        "execution_duration": None if duration is None else f"{duration // 1000}.{duration % 1000:03}s",
        "state": trace.state,
        "client_request_id": trace.client_request_id,
        "request_preview": trace.request_preview,
        "response_preview": trace.response_preview,
        "trace_metadata": dict(trace.metadata),
        "tags": dict(trace.tags),
        "assessments": [_assessment_body(trace.trace_id, each) for each in trace.assessments],
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def _trace(value: Json) -> TraceInfo:
    place = nested(nested(value, "trace_location"), "mlflow_experiment", required=False)
    return TraceInfo(
        text(value, "trace_id"),
        text(place, "experiment_id", ""),
        _time(text(value, "request_time")),
        _duration(optional_text(value, "execution_duration")),
        text(value, "state", "STATE_UNSPECIFIED"),
        text(value, "client_request_id", ""),
        text(value, "request_preview", ""),
        text(value, "response_preview", ""),
        _pairs(value, "trace_metadata"),
        _pairs(value, "tags"),
        items(value, "assessments", _assessment),
    )


def _assessment_body(trace_id: str, assessment: Assessment) -> dict[str, object]:
    ids = {"assessment_id": assessment.assessment_id, "trace_id": trace_id}
    return {**json.loads(assessment.body), **ids}


def _pairs(value: Json, key: str) -> tuple[Tag, ...]:
    found = nested(value, key, required=False)
    return tuple(sorted(Tag(name, text(found, name)) for name in found))


def _assessment(value: Json) -> Assessment:
    return Assessment(text(value, "assessment_id"), json.dumps(value))


def _time(written: str) -> int:
    """Milliseconds, from RFC 3339 with any number of digits."""
    match = re.fullmatch(r"(\S{19})(\.\d+)?(Z|[+-]\d\d:\d\d)", written)
    try:
        if match is None:
            raise ValueError
        begin = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
    except ValueError:
        raise MalformedError(f"{written!r} is not a time") from None
    return (begin - _EPOCH) // _MILLISECOND + int(float(match[2] or 0) * 1000 + 0.5)


def _duration(written: str | None) -> int | None:
    """Milliseconds, from protobuf's `0.012s`."""
    if written is None:
        return None
    match = re.fullmatch(r"(-?\d{1,12}(?:\.\d{1,9})?)s", written)
    if match is None:
        raise MalformedError(f"{written!r} is not a duration")
    return round(float(match[1]) * 1000)


def _trace_answer(value: Json) -> TraceInfo:
    return _trace(nested(nested(value, "trace"), "trace_info"))


def _page(value: Json) -> TracePage:
    return TracePage(items(value, "traces", _trace), text(value, "next_page_token", ""))


def _infos_answer(value: Json) -> tuple[TraceInfo, ...]:
    return items(value, "trace_infos", _trace)


def _deleted_answer(value: Json) -> int:
    return integer(value, "traces_deleted")


def _assessment_answer(value: Json) -> Assessment:
    return _assessment(nested(value, "assessment"))
