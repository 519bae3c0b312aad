"""What the server has answered: counters for Prometheus, and a line of the access log for each request."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from projrun.reporting import visible
from projrun.server.api import USER, Route, streaming
from projrun.server.permissions import PUBLIC, SIGNED_IN
from projrun.server.stores import Stores
from projrun.server.table import ROUTE
from projrun.server.wire import Message

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the buckets of the histogram."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Requests:
    """The requests of one server process."""

    def __init__(self, log_format: str) -> None:
        self._log_format = log_format
        self._began = time.time()
        self._active = 0
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def begin(self) -> float:
        """A request has come: its time, for `end`."""
        self._active += 1
        return time.perf_counter()

    def end(self, scope: Scope, status: int, size: int, begin: float) -> None:
        """It was answered; status 0 where the client or the server broke off."""
        seconds = time.perf_counter() - begin
        self._active -= 1
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._answers[method, scope.get(ROUTE, "none"), status] += 1
        self._buckets[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds
        if self._log_format != "none":
            self._write(scope, status, size, seconds)

    def metrics(self) -> bytes:
        """In the text format of Prometheus."""
        return "".join(f"{line}\n" for line in self._lines()).encode()

    def _lines(self) -> Iterator[str]:
        yield from _head("projrun_http_requests_total", "counter", "Requests answered.")
        for (method, route, status), count in sorted(self._answers.items()):
            yield f'projrun_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
        name, total = "projrun_http_request_duration_seconds", 0
        yield from _head(name, "histogram", "Time from a request's head to the end of its answer.")
        for bound, count in zip((*BOUNDS, "+Inf"), self._buckets, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._seconds:.6f}"
        yield f"{name}_count {total}"
        yield from _head("projrun_http_requests_active", "gauge", "Requests being answered.")
        yield f"projrun_http_requests_active {self._active}"
        used = resource.getrusage(resource.RUSAGE_SELF)
        yield from _head("process_cpu_seconds_total", "counter", "Processor time used.")
        yield f"process_cpu_seconds_total {used.ru_utime + used.ru_stime:.3f}"
        yield from _head("process_resident_memory_bytes", "gauge", "Memory in use.")
        yield f"process_resident_memory_bytes {_memory(used.ru_maxrss)}"
        yield from _head("process_start_time_seconds", "gauge", "Start of the server since the epoch.")
        yield f"process_start_time_seconds {self._began:.3f}"

    def _write(self, scope: Scope, status: int, size: int, seconds: float) -> None:
        # Neither query nor headers: they may hold what only the server is to know.
        client, user = (scope.get("client") or ("-",))[0], scope.get(USER, "")
        now = time.time()
        if self._log_format == "json":
            line = json.dumps(
                {
                    "time": round(now, 3), "client": client, "user": user, "method": scope["method"],
                    "path": scope["path"], "status": status, "bytes": size, "ms": round(seconds * 1000, 2),
                }
            )  # fmt: skip
        else:
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
            # A name or a path with spaces is no further word.
            told = (client, user or "-", scope["method"], scope["path"])
            words = " ".join(visible(word).replace("\n", "\\n").replace(" ", "%20") for word in told)
            line = f"{when} {words} {status} {size} {seconds * 1000:.1f}ms"
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except (OSError, ValueError):  # a full disk, or no reader: the answers count
            return


def metrics_route(requests: Requests, *, public: bool) -> Route:
    """`/metrics`, for users alone where there are any, or for all."""

    async def respond(request: Request, stores: Stores, message: Message) -> Response:
        return Response(requests.metrics(), media_type="text/plain; version=0.0.4")

    return streaming("GET", ("/metrics",), Message, respond, needs=PUBLIC if public else SIGNED_IN)


def _head(name: str, kind: str, help_text: str) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"


def _memory(most: int) -> int:
    """Bytes in use now; where the system does not say (macOS), the most there have been."""
    try:
        with open("/proc/self/statm", "rb") as pages:  # noqa: PTH123 - a file of the kernel, read at once
            return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return most
