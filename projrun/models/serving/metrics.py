"""`/metrics`: what the models were asked, how long it took, and how their workers are, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from projrun.http.serving.exposition import head, of_process, resident_memory, sample
from projrun.models.serving.endpoint import Endpoint

_REQUESTS, _DURATION = "projrun_model_requests_total", "projrun_model_request_duration_seconds"
_MEMORY = "projrun_model_worker_memory_bytes"
_NUMBERS: tuple[tuple[str, str, str, Callable[[Endpoint], int]], ...] = (
    ("requests_active", "gauge", "Requests that are not answered yet.", lambda of: of.requests.active),
    ("requests_waiting", "gauge", "Requests for which no worker is free.", lambda of: of.pool.waiting),
    ("workers", "gauge", "Processes that have the model loaded.", lambda of: len(of.pool.pids)),
    ("worker_restarts_total", "counter", "Workers that were replaced.", lambda of: of.pool.replaced),
)


def metrics(endpoints: Sequence[Endpoint], began: float) -> Iterator[str]:
    """The lines for some models; `began` is when the server started, in seconds since the epoch."""
    yield from head(_REQUESTS, "counter", "Requests for predictions by status; 0 where the client left.")
    for each in endpoints:
        for status, count in sorted(each.requests.answers.items()):
            yield sample(_REQUESTS, count, model=each.name, status=status)
    yield from head(_DURATION, "histogram", "Time from a request's head to its answer.")
    for each in endpoints:
        yield from each.requests.durations.lines(_DURATION, model=each.name)
    for word, kind, help_text, value in _NUMBERS:
        name = f"projrun_model_{word}"
        yield from head(name, kind, help_text)
        yield from (sample(name, value(each), model=each.name) for each in endpoints)
    yield from head(_MEMORY, "gauge", "Memory that a worker has in use.")
    for each in endpoints:
        for pid in each.pool.pids:
            memory = resident_memory(pid)
            if memory is not None:
                yield sample(_MEMORY, memory, model=each.name, pid=pid)
    yield from of_process(began)
