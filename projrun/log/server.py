"""MLflow's REST API over HTTP, and the server of a store on this machine."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from time import time

from . import state
from .environment import deadline, without_password
from .errors import AwayError, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import http.client
    from collections.abc import Callable
    from typing import Any

    from .values import Json

_LONG = 300.0
"""Seconds without a byte that an artifact may take."""
_CONNECT = 5.0
"""Seconds until a server has to take a connection."""
_NOT_FOR_GOOD = (401, 403, 407, 408, 429)
_RETRIES = (0.1, 0.4, 1.5)
"""Pauses in seconds before a call is made again."""


class Server:
    """A connection to an MLflow server, kept open between calls."""

    def __init__(self, address: str, is_hurried: Callable[[], bool], process: Any = None) -> None:
        """`is_hurried` says whether the process ends: then nothing is tried twice."""
        from urllib.parse import unquote, urlsplit

        parts = urlsplit(address)
        if not parts.hostname:
            raise AwayError(f"{without_password(address)} is not the address of a server")
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._process = process
        self._headers = {"User-Agent": "projrun-log"}
        self._connection: http.client.HTTPConnection | None = None
        self._is_hurried = is_hurried
        token = os.environ.get("MLFLOW_TRACKING_TOKEN")
        user = unquote(parts.username or "") or os.environ.get("MLFLOW_TRACKING_USERNAME")
        password = unquote(parts.password or "") or os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
        if user:
            from base64 import b64encode

            self._headers["Authorization"] = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
        elif token:
            self._headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def open(cls, uri: str, is_hurried: Callable[[], bool]) -> Server:
        """The server of a tracking URI; for a store on this machine, one that is started. Raises AwayError."""
        scheme = uri.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return cls(uri, is_hurried)
        if uri and scheme not in ("sqlite", "postgresql"):
            raise AwayError(
                f"{uri} is no store of projrun; `projrun import` takes the runs of a folder or file of MLflow's"
            )
        process = _start_server(uri)
        address = process.stdout.readline().decode().strip()
        if not address:
            raise AwayError(f"no store for runs: `projrun server endpoint` ended with {process.wait()}")
        return cls(address, is_hurried, process)

    def call(self, method: str, call: str, body: Json) -> Json:
        """The answer to a call of MLflow's REST API. Raises RefusedError, AwayError."""
        import json
        from urllib.parse import urlencode

        path = f"/api/2.0/mlflow/{call}"
        if method == "GET":
            answer = self.send(method, f"{path}?{urlencode(body)}")
        else:
            answer = self.send(method, path, json.dumps(body).encode())
        try:
            said: Json = json.loads(answer or b"{}")
        except ValueError:
            raise AwayError(f"what answers at {self._host} is not an MLflow server") from None
        return said

    def send(
        self, method: str, path: str, data: Any = None, kind: str = "application/json", size: int = 0
    ) -> bytes:
        """The answer to a request; what a server cannot take now is sent again a few times."""
        from http.client import HTTPException

        for pause in (*_RETRIES, None):
            try:
                status, answer, again = self._request(method, path, data, kind, size)
            except (OSError, HTTPException) as error:
                self.close()
                status, answer, again = 0, str(error).encode() or type(error).__name__.encode(), 0.0
            if 200 <= status < 300:
                return answer
            refusal = _refusal(status, answer)
            if refusal is not None:
                raise refusal
            if pause is None or self._is_hurried() or (status and status < 500 and status != 429):
                break
            self._sleep(max(pause, again))
        what = f"it answers {status}" if status else answer.decode(errors="replace")
        if status in (401, 403):
            what += "; see MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD and MLFLOW_TRACKING_TOKEN"
        raise AwayError(f"the server at {self._host} cannot be used: {what}")

    def _sleep(self, seconds: float) -> None:
        end = time() + min(seconds, 10.0)
        while time() < end and not self._is_hurried():
            threading.Event().wait(0.05)

    def _request(self, method: str, path: str, data: Any, kind: str, size: int) -> tuple[int, bytes, float]:
        timeout = _LONG if size else deadline()
        headers = {**self._headers, **({"Content-Type": kind} if data is not None else {})}
        if size or hasattr(data, "read"):
            headers["Content-Length"] = str(size)
            data.seek(0)
        if self._connection is None:
            self._connection = self._connect()
        if self._connection.sock is None:
            self._connection.connect()
        if self._connection.sock is not None:
            self._connection.sock.settimeout(min(timeout, 5.0) if self._is_hurried() else timeout)
        self._connection.request(method, f"{self._before}{self._path}{path}", data, headers)
        response = self._connection.getresponse()
        answer = response.read()
        again = response.getheader("Retry-After") or ""
        return response.status, answer, float(again) if again.isdecimal() else 0.0

    def _connect(self) -> http.client.HTTPConnection:
        """A connection, through the proxy that the environment names."""
        from http.client import HTTPConnection, HTTPSConnection
        from urllib.parse import urlsplit
        from urllib.request import getproxies, proxy_bypass

        proxy = None if proxy_bypass(self._host) else getproxies().get(self._scheme)
        where = urlsplit(proxy if "//" in proxy else f"//{proxy}") if proxy else None
        host, port = (where.hostname or "", where.port) if where else (self._host, self._port)
        self._before = (
            f"{self._scheme}://{self._host}:{self._port or 80}" if where and self._scheme == "http" else ""
        )
        if self._scheme == "http":
            return HTTPConnection(host, port, timeout=_CONNECT)
        secure = HTTPSConnection(host, port, timeout=_CONNECT, context=_certificates())
        if where:
            secure.set_tunnel(self._host, self._port)
        return secure

    def close(self) -> None:
        """The next request opens another connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def interrupt(self) -> None:
        """The request under way fails; called by another thread."""
        sock = self._connection and self._connection.sock
        if sock:
            with suppress(OSError):  # it is closed meanwhile
                sock.shutdown(2)

    def end(self) -> None:
        """For good; a server of our own ends, too."""
        import subprocess

        self.close()
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            try:
                self._process.wait(_CONNECT)
            except subprocess.TimeoutExpired:
                self._process.terminate()
                self._process.wait()


def _certificates() -> Any:
    import ssl

    environ = os.environ
    if environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() == "true":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    names = ("MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    context = ssl.create_default_context(
        cafile=next((environ[name] for name in names if environ.get(name)), None)
    )
    if environ.get("MLFLOW_TRACKING_CLIENT_CERT_PATH"):
        context.load_cert_chain(environ["MLFLOW_TRACKING_CLIENT_CERT_PATH"])
    return context


def _refusal(status: int, answer: bytes) -> RefusedError | None:
    """Only MLflow itself says no for good: a login that ended, a proxy or another address may be put right."""
    import json

    if not 400 <= status < 500 or status in _NOT_FOR_GOOD:
        return None
    try:
        said = json.loads(answer)
        code, message = str(said["error_code"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        return None
    return None if code == "ENDPOINT_NOT_FOUND" else RefusedError(code, message)


def send_artifact(server: Server, root: str, body: Json) -> None:
    """A file to its place: a folder of this machine, or through the server. Raises OSError, AwayError, RefusedError."""
    file, (address, target) = body["file"], _artifact(root, body["path"])
    if address:
        with open(file, "rb") as data:
            size = os.fstat(data.fileno()).st_size
            server.send("PUT", address, data, "application/octet-stream", size)
    else:
        import shutil

        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(file, target)


def read_artifact(server: Server, root: str, path: str) -> bytes:
    """What is in a file of the artifacts. Raises OSError, AwayError, RefusedError."""
    address, target = _artifact(root, path)
    if address:
        return server.send("GET", address)
    with open(target, "rb") as file:
        return file.read()


def _artifact(root: str, path: str) -> tuple[str, str]:
    """An artifact's path at the server, or on this machine. Raises RefusedError."""
    from urllib.parse import quote, unquote, urlsplit

    parts = urlsplit(root)
    if parts.scheme == "mlflow-artifacts":
        place = "/".join([part for part in (parts.path.strip("/"), quote(path)) if part])
        return f"/api/2.0/mlflow-artifacts/artifacts/{place}", ""
    if parts.scheme in ("", "file"):
        return "", os.path.join(unquote(parts.path) if parts.scheme else root, *path.split("/"))
    raise RefusedError(
        "", f"projrun.log cannot write to {root}: let the server pass artifacts on, or use mlflow"
    )


def _start_server(uri: str) -> Any:
    """A process that serves a store of this machine to this one alone, and ends with it. Raises AwayError."""
    import shutil
    import subprocess
    from importlib.util import find_spec

    try:
        installed = find_spec("projrun.cli") is not None
    except ImportError:
        installed = False
    program = [sys.executable, "-m", "projrun"] if installed else [shutil.which("projrun") or ""]
    if not program[0]:
        raise AwayError("MLFLOW_TRACKING_URI names no server, and projrun is not installed here")
    argv = [*program, "server", "endpoint", *(("--tracking-uri", uri) if uri else ())]
    # A program of another Python must not find this one's modules.
    left_out = () if installed else ("PYTHONPATH", "PYTHONHOME")
    environ = {name: value for name, value in os.environ.items() if name not in left_out}
    # Ctrl-C is for the script, whose last values are still to come.
    process = subprocess.Popen(
        argv, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    state.pipes += [process.stdin, process.stdout]
    return process
