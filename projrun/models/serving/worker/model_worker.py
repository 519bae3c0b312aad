"""A worker of the scoring server, run by the model's own Python: `python model_worker.py DESCRIPTOR FOLDER`.

It loads the model of FOLDER and answers the requests that come over the socket DESCRIPTOR, one at a time. It needs
Python 3.7 or later, its standard library, and the `mlflow` or `mlflow-skinny` that the model's environment has.

A frame is two lengths, a head in JSON and a body of bytes, in both directions.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LENGTHS = struct.Struct("!IQ")
PATIENCE = 5.0
"""Seconds that the model's exit handlers have when the server has gone."""
JSON = "application/json"


class Link:
    """The socket to the server."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        # A process that the model starts would keep it open, and the server would not see this one die.
        self._socket.set_inheritable(False)

    def receive(self) -> tuple[dict[str, Any], bytearray] | None:
        """The next request; None once the server has closed the socket."""
        lengths = self._read(LENGTHS.size)
        if lengths is None:
            return None
        head_size, body_size = LENGTHS.unpack(lengths)
        head, body = self._read(head_size), self._read(body_size)
        return None if head is None or body is None else (json.loads(bytes(head)), body)

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send an answer."""
        encoded = json.dumps(head).encode()
        self._socket.sendall(LENGTHS.pack(len(encoded), len(body)) + encoded + body)

    def _read(self, size: int) -> bytearray | None:
        data = bytearray(size)
        view, got = memoryview(data), 0
        while got < size:
            count = self._socket.recv_into(view[got:])
            if not count:
                return None
            got += count
        return data

    def wait_for_its_end(self) -> None:
        """Return when the server has closed the socket, or died."""
        poll = select.poll()
        poll.register(self._socket, 0)  # nothing but the end, which is always told
        poll.poll()


class ServedModel:
    """The model, answering as MLflow's scoring server of the environment's version does."""

    def __init__(self, folder: str) -> None:
        """Load it; whatever its code raises is raised here."""
        import mlflow.version
        from mlflow.exceptions import MlflowException
        from mlflow.pyfunc import scoring_server

        self.version = mlflow.version.VERSION
        self._scoring: Any = scoring_server
        self._error: Any = MlflowException
        load = getattr(scoring_server, "load_model_with_mlflow_config", scoring_server.load_model)
        self._model = load(folder)
        self._schema = self._model.metadata.get_input_schema()

    def answer(self, content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
        """The head and the body of the answer to a request for predictions."""
        try:
            return self._predict(content_type, body, {})
        except self._error as error:
            wrapped = _wrapped(content_type, body)
            if wrapped is None:
                return self._refusal(error)
        try:
            # The draft that became RFC 9745 had a flag, which old clients know.
            return self._predict(content_type, wrapped, {"deprecation": "true"})
        except self._error as error:
            return self._refusal(error)

    def _predict(
        self, content_type: str, body: bytes, headers: dict[str, str]
    ) -> tuple[dict[str, Any], bytes]:
        result = self._scoring.invocations(body, content_type, self._model, self._schema)
        head = {"status": result.status, "type": result.mimetype, "headers": headers}
        return head, result.response.encode()

    def _refusal(self, error: Any) -> tuple[dict[str, Any], bytes]:
        head = {"status": error.get_http_status_code(), "type": JSON}
        return head, error.serialize_as_json().encode()


def _wrapped(content_type: str, body: bytes) -> bytes | None:
    """MLflow 1's body, which was what is the value of `dataframe_split` today; None for any other."""
    if content_type.partition(";")[0].strip() != JSON:
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return None
    if not isinstance(value, dict) or not {"columns", "data"} <= set(value) <= {"columns", "data", "index"}:
        return None
    return b'{"dataframe_split":' + body + b"}"


def one_line(error: BaseException) -> str:
    """The error as its trace's last line has it."""
    text = " ".join("".join(traceback.format_exception_only(type(error), error)).split())
    return text if len(text) <= 500 else text[:497] + "..."


def _why(error: BaseException) -> str:
    """Why the model cannot be loaded."""
    if isinstance(error, ModuleNotFoundError) and error.name == "mlflow":
        return "its environment has no mlflow, which loads it: add mlflow or mlflow-skinny and pandas"
    return one_line(error)


def _fault(error: BaseException) -> tuple[dict[str, Any], bytes]:
    """The model's answer could not be made or encoded: its trace is for the log alone."""
    traceback.print_exc()
    body = {"error_code": "INTERNAL_ERROR", "message": "The model failed: " + one_line(error)}
    return {"status": 500, "type": JSON}, json.dumps(body).encode()


def _end_with_the_server(link: Link) -> None:
    """The server's death ends this process, too, and what the model has started, even where it hangs."""
    link.wait_for_its_end()
    time.sleep(PATIENCE)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _answer_all(link: Link, model: ServedModel) -> None:
    while True:
        request = link.receive()
        if request is None:
            return
        head, body = request
        try:
            answer = model.answer(head["type"], bytes(body))
        except Exception as error:
            answer = _fault(error)
        link.send(*answer)


def main(descriptor: str, folder: str) -> int:
    """Answer until the server closes the socket."""
    link = Link(int(descriptor))
    threading.Thread(target=_end_with_the_server, args=(link,), daemon=True).start()
    # As with MLflow's server, the model finds modules of the working folder; here they hide no installed ones.
    sys.path[:1] = []
    sys.path.append(os.getcwd())
    try:
        model = ServedModel(folder)
    except BaseException as error:
        traceback.print_exc()
        link.send({"failed": _why(error)})
        return 1
    try:
        link.send({"version": model.version})
        _answer_all(link, model)
    except (BrokenPipeError, ConnectionResetError):  # the server has gone meanwhile
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
