"""Sends the requests of a probe to one server and makes its answers comparable: no ids, no times, no random names."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.integration.probe.reading import Call, filled_in

_ID = re.compile(r"\b(m-)?[0-9a-f]{32}\b")
_RANDOM_NAME = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")
_TIME = range(1_600_000_000_000, 10_000_000_000_000)
_SERVED = re.compile(r"(mlflow-artifacts:/)\d+(?=/|$)")
_OF_EXPERIMENT = re.compile(r"((?:experiment|id|ID)\b[ =:'\"\[]*)\d+\b", re.IGNORECASE)

_UNORDERED = frozenset({"tags", "params", "aliases", "data.tags", "data.params", "data.metrics"})


class Answer(NamedTuple):
    """An answer as it is compared."""

    status: int
    error_code: str
    message: str
    body: Any


class Server:
    """One server during one scenario."""

    def __init__(self, uri: str, unique: str) -> None:
        address = urlsplit(uri)
        assert address.hostname
        self._prefix = address.path
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        self._values = {"u": unique}
        self._names: dict[str, str] = {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, calls: Sequence[Call]) -> list[Answer]:
        """The answers, in order."""
        return [self._send(call) for call in calls]

    def _send(self, call: Call) -> Answer:
        path = filled_in(call.path, self._values)
        body = None if call.body is None else filled_in(call.body, self._values).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        self._connection.request(call.method, self._prefix + path, body, {**headers, **call.headers})
        response = self._connection.getresponse()
        content = response.read()
        found = _json_or_text(content)
        for name, keys in call.saves:
            self._values[name] = value = _look_up(found, keys)
            self._names[value] = f"<{name}>"
        return self._comparable(response.status, found)

    def _comparable(self, status: int, found: Any) -> Answer:
        if isinstance(found, dict) and {"error_code", "message"} <= found.keys():
            return Answer(status, found["error_code"], self._text(found["message"]), None)
        return Answer(status, "", "", self._value("", found))

    def _value(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: self._value(f"{key}.{name}" if key == "data" else name, one)
                for name, one in value.items()
            }
        if isinstance(value, list):
            found = [self._value(key, one) for one in value]
            return sorted(found, key=json.dumps) if key in _UNORDERED else found
        if isinstance(value, str):
            return self._of_key(key, value)
        return "<time>" if isinstance(value, int) and value in _TIME else value

    def _of_key(self, key: str, value: str) -> str:
        if key in ("experiment_id", "experiment_ids") and value.isdigit() and value != "0":
            return "<experiment>"
        if key == "next_page_token":
            return "<token>"
        if _RANDOM_NAME.fullmatch(value):
            return "<name>"
        return self._text(value)

    def _text(self, text: str) -> str:
        text = text.replace(self._values["u"], "<u>")
        text = _ID.sub(lambda match: self._names.get(match[0], "<id>"), text)
        text = _OF_EXPERIMENT.sub(r"\1<n>", text)
        return _SERVED.sub(r"\1<experiment>", text)


def _json_or_text(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _look_up(found: Any, keys: tuple[str, ...]) -> str:
    try:
        for key in keys:
            found = found[int(key)] if isinstance(found, list) else found[key]
    except (KeyError, IndexError, TypeError, ValueError):
        return "missing"  # the difference shows in the answer
    return str(found)
