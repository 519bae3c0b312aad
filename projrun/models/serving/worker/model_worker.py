"""A worker of the scoring server, run by the model's own Python: `python model_worker.py DESCRIPTOR FOLDER`.

It loads the model of FOLDER and answers the requests that come over the socket DESCRIPTOR, one at a time. The first
frame is what the MLmodel file says. It needs Python 3.7 or later, its standard library, and what the model's
environment has.

A frame is two lengths, a head in JSON and a body of bytes, in both directions.
"""

from __future__ import annotations

import importlib
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
        self._stream = self._socket.makefile("rb", 1 << 16)

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """The next request; None once the server has closed the socket."""
        lengths = self._stream.read(LENGTHS.size)
        if len(lengths) < LENGTHS.size:
            return None
        head_size, body_size = LENGTHS.unpack(lengths)
        head, body = self._stream.read(head_size), self._stream.read(body_size)
        return (json.loads(head), body) if len(head) + len(body) == head_size + body_size else None

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send an answer."""
        encoded = json.dumps(head).encode()
        self._socket.sendall(LENGTHS.pack(len(encoded), len(body)) + encoded + body)

    def leave(self) -> None:
        """Close it, in a process that was forked from the one that answers: the server sees that one's end alone."""
        descriptor = self._socket.detach()
        if descriptor >= 0:  # it was not forked from such a process itself
            os.close(descriptor)

    def wait_for_its_end(self) -> None:
        """Return when the server has closed the socket, or died."""
        poll = select.poll()
        poll.register(self._socket, 0)  # nothing but the end, which is always told
        poll.poll()


def one_line(error: BaseException) -> str:
    """The error as its trace's last line has it."""
    text = " ".join("".join(traceback.format_exception_only(type(error), error)).split())
    return text if len(text) <= 500 else text[:497] + "..."


def _load(folder: str, document: dict[str, Any]) -> Any:
    """The model, by the package beside this script, whose folder is on the path for no longer than that takes."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    try:
        scoring = importlib.import_module("projrun_scoring.loaded")
    finally:
        sys.path.remove(here)
    return scoring.load_model(folder, document)


def _why(error: BaseException) -> str:
    """Why the model cannot be loaded."""
    if type(error).__module__.startswith("projrun_scoring."):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name in ("numpy", "pandas"):
        return "its environment has no {0}, which requests need: add {0}".format(error.name)
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


def _answer_all(link: Link, model: Any) -> None:
    while True:
        request = link.receive()
        if request is None:
            return
        head, body = request
        try:
            told = head.get("infer")
            answer = model.answer(head["type"], body) if told is None else model.infer(body, told)
        except Exception as error:
            answer = _fault(error)
        link.send(*answer)


def main(descriptor: str, folder: str) -> int:
    """Answer until the server closes the socket."""
    link = Link(int(descriptor))
    os.register_at_fork(after_in_child=link.leave)
    threading.Thread(target=_end_with_the_server, args=(link,), daemon=True).start()
    # As with MLflow's server, the model finds modules of the working folder; here they hide no installed ones.
    if sys.path[:1] == [os.path.dirname(os.path.abspath(__file__))]:  # not so with PYTHONSAFEPATH
        del sys.path[0]
    sys.path.append(os.getcwd())
    first = link.receive()
    if first is None:
        return 0
    try:
        model = _load(folder, json.loads(first[1]))
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
