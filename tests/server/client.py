"""A plain HTTP client of an endpoint: what a test sends is what goes over the wire."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from projrun.server.endpoint import Endpoint

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """The status and MLflow's error code; the body has exactly that shape."""
        assert set(self.json) == {"error_code", "message"}
        assert self.headers["content-type"] == "application/json"
        return self.status, self.json["error_code"]


class Client:
    """One connection, kept."""

    def __init__(self, endpoint: Endpoint, *, in_place: bool = False) -> None:
        """`in_place`: as a command on this machine, which sees the folder of the artifacts."""
        address = urlsplit(endpoint.uri if in_place else endpoint.uri_at("127.0.0.1"))
        assert address.hostname
        self.prefix = address.path
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        *,
        prefix: str | None = None,
    ) -> Answer:
        """Send a request for a path below the secret, or below `prefix`."""
        target = (self.prefix if prefix is None else prefix) + path
        self.connection.request(
            method, target, body, {"Content-Type": "application/json"} if body is not None else {}
        )
        response = self.connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def post(self, route: str, **message: object) -> Answer:
        """Send JSON to a route of the API."""
        return self.send("POST", API + route, json.dumps(message).encode())

    def get(self, route: str, **query: object) -> Answer:
        """Ask a route of the API."""
        return self.send("GET", f"{API}{route}?{urlencode(query, doseq=True)}")

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
