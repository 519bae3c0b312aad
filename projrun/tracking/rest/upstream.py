"""A tracking server's whole API, passed on: any request, with the credentials that are configured for the server."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping

from projrun.http.failures import FAILURES
from projrun.tracking.artifacts.files import CHUNK
from projrun.tracking.rest.answers import silence
from projrun.tracking.rest.transport import CONNECT_TIMEOUT, Transport
from projrun.tracking.upstream import Passed

_ARTIFACTS = "api/2.0/mlflow-artifacts/"


class RestUpstream:
    """A tracking server, for many threads: each has its own connection."""

    def __init__(self, uri: str, environ: Mapping[str, str]) -> None:
        """Does not contact the server."""
        self._uri = uri
        self._environ = environ
        self._mine = threading.local()

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Iterable[bytes]
    ) -> Passed:
        """Its answer, whatever its status. Raises TrackingError where there is none."""
        transport: Transport | None = getattr(self._mine, "transport", None)
        if transport is None:
            transport = self._mine.transport = Transport.tracking(self._uri, self._environ)
        response = transport.passed_on(method, path, headers, body, is_file=path.startswith(_ARTIFACTS))

        def pieces() -> Iterator[bytes]:
            with response:
                try:
                    yield from response.raw.stream(CHUNK, decode_content=False)
                except FAILURES as error:
                    raise silence(error, transport.shown, (CONNECT_TIMEOUT, 0)) from None

        return Passed(response.status_code, tuple(response.headers.items()), pieces())
