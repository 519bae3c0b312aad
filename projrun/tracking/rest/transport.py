"""Requests to one server: a persistent session, settings from a given environment, bounded retries.

Redirects are not followed: an API has none, and credentials must not travel to where one points.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar
from urllib.parse import SplitResult, urlsplit

import requests
from requests.auth import AuthBase

from projrun.credentials import redact_uri
from projrun.errors import RequestError, TrackingError, UnavailableError
from projrun.http.certificates import named_file
from projrun.http.failures import FAILURES
from projrun.http.logins import Credentials, host_credentials
from projrun.http.proxies import proxies_for
from projrun.http.variables import enabled, number
from projrun.tracking.artifacts.files import CHUNK, write_whole
from projrun.tracking.bounded import Bounded, LateError, Moving
from projrun.tracking.rest.answers import (
    not_mlflow,
    read_object,
    refusal,
    silence,
    unreachable,
)
from projrun.tracking.rest.certificates import trusted_by_mlflow
from projrun.tracking.rest.logins import find_credentials
from projrun.tracking.rest.pauses import Pauses
from projrun.tracking.rest.wire import MalformedError
from projrun.tracking.runs import Deadline
from projrun.version import __version__

API = "api/2.0/mlflow/"
CONNECT_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 30.0
_FILE_TIMEOUT = 300.0
_PARSED = TypeVar("_PARSED")
_RESULT = TypeVar("_RESULT")

Query = Sequence[tuple[str, str]]


class _Call(NamedTuple):
    method: str
    path: str
    query: Query = ()
    body: bytes | _FileBody | None = None
    content_type: str = "application/json"
    timeout: float = _FILE_TIMEOUT


class _FileBody:
    """A file's bytes as they were counted when the upload began: one that grows must not spoil the stream."""

    def __init__(self, stream: BinaryIO, moving: Moving = iter) -> None:
        self._stream = stream
        self._moving = moving
        self._size = os.fstat(stream.fileno()).st_size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return self._moving(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        left = self._size
        while left > 0:
            piece = self._stream.read(min(CHUNK, left))
            if not piece:
                raise TrackingError(f"{self._stream.name} became shorter while it was uploaded")
            left -= len(piece)
            yield piece


class Transport:
    """One server. `patient` is False until a run has begun: before that, a failure is reported at once."""

    def __init__(
        self,
        uri: str,
        environ: Mapping[str, str],
        credentials: Credentials | None,
        *,
        patient: bool,
        auth: AuthBase | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Raises RequestError for settings that cannot work; does not contact the server."""
        address = urlsplit(uri)
        self.address = address._replace(netloc=address.netloc.rpartition("@")[2], query="", fragment="")
        self.base = self.address.geturl().rstrip("/")
        self.shown = redact_uri(self.base)
        self.environ = environ
        self.patient = patient
        self.deadline = deadline
        self._gave_up = False
        self._credentials = credentials
        self._auth = auth
        asked = number(environ, "MLFLOW_HTTP_REQUEST_TIMEOUT", 0)
        self._timeout = asked or _ANSWER_TIMEOUT
        asked = number(environ, "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT", 0) or asked
        self._file_timeout = asked or _FILE_TIMEOUT
        self._upload_timeout = asked or _ANSWER_TIMEOUT  # and more for each byte that moves
        self._pauses = Pauses.of(environ)
        self._session = _session(self.address, environ, credentials)
        self._session.auth = auth

    @classmethod
    def tracking(
        cls,
        uri: str,
        environ: Mapping[str, str],
        *,
        patient: bool = False,
        deadline: Deadline | None = None,
    ) -> Transport:
        """To the tracking server, with all the credentials that are configured for it."""
        name = environ.get("MLFLOW_TRACKING_AUTH")
        if not name and enabled(environ, "MLFLOW_TRACKING_AWS_SIGV4"):
            raise RequestError(
                "MLFLOW_TRACKING_AWS_SIGV4: projrun signs no requests itself",
                hint="unset it, and name a plug-in that signs them with MLFLOW_TRACKING_AUTH",
            )
        if name:
            from projrun.tracking.extensions import plugin_auth

            given = Credentials("", f"{name!r} (MLFLOW_TRACKING_AUTH)")
            return cls(uri, environ, given, patient=patient, auth=plugin_auth(name), deadline=deadline)
        found = find_credentials(urlsplit(uri), environ)
        return cls(uri, environ, found, patient=patient, deadline=deadline)

    def towards(self, address: SplitResult) -> Transport:
        """To another address. A server that is not this one gets only credentials that name its own host."""
        if _server(address) != _server(self.address):
            credentials, auth = host_credentials(address, self.environ), None
        elif address.path.rstrip("/") == self.address.path.rstrip("/"):
            return self
        else:
            credentials, auth = self._credentials, self._auth
        return Transport(
            address.geturl(), self.environ, credentials,
            patient=self.patient, auth=auth, deadline=self.deadline,
        )  # fmt: skip

    def hurry(self) -> None:
        """The server has just failed: until it answers, a call has little time and is tried once."""
        self._gave_up = True

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, query: Query, parse: Callable[[dict[str, object]], _PARSED]) -> _PARSED:
        """Ask for an object and read it with `parse`."""
        call = _Call("GET", path, query, timeout=self._timeout)
        return self._repeated(lambda _: self._exchange(call, parse), self._timeout)

    def post(
        self,
        path: str,
        body: Mapping[str, object],
        parse: Callable[[dict[str, object]], _PARSED],
        *,
        method: str = "POST",
        idempotent: bool = True,
    ) -> _PARSED:
        """Send an object, read the answer with `parse`. Requests that are not idempotent are never repeated."""
        text = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        call = _Call(method, path, body=text, timeout=self._timeout)
        return self._repeated(lambda _: self._exchange(call, parse), self._timeout, idempotent=idempotent)

    def text(self, path: str) -> str:
        """The start of a plain text answer."""

        def read(moving: Moving) -> str:
            with self._open(_Call("GET", path, timeout=self._timeout)) as response:
                return next(self._pieces(response), b"").decode("utf-8", "replace")

        return self._repeated(read, self._timeout)

    def upload(self, path: str, file: Path) -> None:
        """PUT a file's bytes, streamed. OSError where the file cannot be read."""

        def send(moving: Moving) -> None:
            with file.open("rb") as stream:
                body = _FileBody(stream, moving)
                # Of an empty stream requests makes a chunked request, which not every server takes.
                self._put(path, body if len(body) else b"")

        self._repeated(send, self._upload_timeout)

    def _put(self, path: str, body: _FileBody | bytes) -> None:
        call = _Call("PUT", path, (), body, "application/octet-stream", self._file_timeout)
        with self._open(call) as response:
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise not_mlflow(self.shown, "an HTML page")
            next(self._pieces(response), b"")  # an answer that was not read costs its connection

    def delete(self, path: str) -> None:
        """DELETE what is at a path."""

        def ask(moving: Moving) -> None:
            with self._open(_Call("DELETE", path, timeout=self._file_timeout)) as response:
                next(self._pieces(response), b"")

        self._repeated(ask, self._file_timeout)

    def download(self, path: str, place: Path) -> None:
        """GET bytes into a file, streamed, whole or not at all."""

        def fetch(moving: Moving) -> None:
            with self._open(_Call("GET", path, timeout=self._file_timeout)) as response:
                write_whole(moving(self._pieces(response)), place)

        self._repeated(fetch, self._file_timeout)

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_content(CHUNK)
        except FAILURES as error:
            raise silence(error, self.shown, (CONNECT_TIMEOUT, self._file_timeout)) from None

    def passed_on(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes],
        *,
        is_file: bool,
    ) -> requests.Response:
        """The answer to a request of another client, once, whatever its status; its body is not read yet."""
        timeout = (CONNECT_TIMEOUT, self._file_timeout if is_file else self._timeout)
        try:
            return self._session.request(
                method,
                f"{self.base}/{path}",
                data=body or None,
                headers=dict(headers),
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
        except FAILURES as error:
            raise silence(error, self.shown, timeout) from None

    def _repeated(
        self, action: Callable[[Moving], _RESULT], seconds: float, *, idempotent: bool = True
    ) -> _RESULT:
        """The retries are for one outage, not for each call in it: once used up, they return with the next answer.

        In an outage a call is also given less time: that of the first one has shown what the server does.
        """
        retries = self._pauses.retries if self.patient and idempotent and not self._gave_up else 0
        attempt = 0
        while True:
            work = Bounded[_RESULT](
                min(seconds, CONNECT_TIMEOUT) if self._gave_up else seconds, self.deadline
            )
            try:
                result = work.call(partial(action, work.moving))
            except UnavailableError as error:
                if attempt >= retries:
                    self._gave_up = self.patient
                    raise
                self._pause(self._pauses.before(attempt, error.retry_after))
                attempt += 1
            except LateError as error:
                self._gave_up = self.patient
                raise unreachable(self.shown, str(error)) from None
            else:
                self._gave_up = False
                return result

    def _pause(self, seconds: float) -> None:
        if self.deadline is None:
            time.sleep(seconds)
        else:
            self.deadline.pause(seconds)

    def _exchange(self, call: _Call, parse: Callable[[dict[str, object]], _PARSED]) -> _PARSED:
        with self._open(call) as response:
            try:
                answer = read_object(response, self.shown)
            except FAILURES as error:
                raise silence(error, self.shown, (CONNECT_TIMEOUT, call.timeout)) from None
        try:
            return parse(answer)
        except MalformedError as error:
            raise not_mlflow(self.shown, str(error)) from None

    def _open(self, call: _Call) -> requests.Response:
        """The head of an answer with status 2xx; anything else is an error."""
        headers = {"Content-Type": call.content_type} if call.body is not None else {}
        try:
            response = self._session.request(
                call.method,
                f"{self.base}/{call.path}",
                params=list(call.query),
                data=call.body,
                headers=headers,
                timeout=(CONNECT_TIMEOUT, call.timeout),
                allow_redirects=False,
                stream=True,
            )
        except FAILURES as error:
            raise silence(error, self.shown, (CONNECT_TIMEOUT, call.timeout)) from None
        if 200 <= response.status_code < 300:
            return response
        with response:
            raise refusal(response, self.shown, self._credentials)


def _server(address: SplitResult) -> tuple[str, str | None, int | None]:
    """RFC 6454's origin."""
    return address.scheme, address.hostname, address.port or {"http": 80, "https": 443}.get(address.scheme)


def _session(
    address: SplitResult, environ: Mapping[str, str], credentials: Credentials | None
) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # it would read os.environ: proxies and netrc are looked up in `environ`
    session.proxies = dict(proxies_for(address, environ))
    session.headers["User-Agent"] = f"projrun/{__version__}"
    if credentials and credentials.header:
        session.headers["Authorization"] = credentials.header
    if environ.get("MLFLOW_WORKSPACE"):
        session.headers["X-MLFLOW-WORKSPACE"] = environ["MLFLOW_WORKSPACE"]
    session.verify = trusted_by_mlflow(environ)
    session.cert = named_file(environ, "MLFLOW_TRACKING_CLIENT_CERT_PATH")
    return session
