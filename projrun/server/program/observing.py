"""What the server has answered: counters for Prometheus, and a line of the access log for each request."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from projrun.http.serving.exposition import (
    MEDIA_TYPE,
    Histogram,
    exposition,
    head,
    of_process,
    sample,
    single,
)
from projrun.reporting import visible
from projrun.server.api import USER, Route, streaming
from projrun.server.permissions import PUBLIC, SIGNED_IN
from projrun.server.stores import Stores
from projrun.server.table import ROUTE
from projrun.server.wire import Message

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Requests:
    """The requests of one server process."""

    def __init__(self, log_format: str) -> None:
        self._log_format = log_format
        self._began = time.time()
        self._active = 0
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._durations = Histogram()

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
        self._durations.add(seconds)
        if self._log_format != "none":
            self._write(scope, status, size, seconds)

    def metrics(self) -> bytes:
        """In the text format of Prometheus."""
        return exposition(self._lines())

    def _lines(self) -> Iterator[str]:
        total, duration = "projrun_http_requests_total", "projrun_http_request_duration_seconds"
        yield from head(total, "counter", "Requests answered.")
        for (method, route, status), count in sorted(self._answers.items()):
            yield sample(total, count, method=method, route=route, status=status)
        yield from head(duration, "histogram", "Time from a request's head to the end of its answer.")
        yield from self._durations.lines(duration)
        yield from single("projrun_http_requests_active", "gauge", "Requests being answered.", self._active)
        yield from of_process(self._began)

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
        return Response(requests.metrics(), media_type=MEDIA_TYPE)

    return streaming("GET", ("/metrics",), Message, respond, needs=PUBLIC if public else SIGNED_IN)
