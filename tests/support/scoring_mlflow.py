"""MLflow's own scoring server, and what differs between its answers and ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.scoring_corpus import Request
from tests.support.ports import free_port
from tests.support.scoring import Reply, Scoring, send

SERVE = """
import os, runpy, shlex, sys
from mlflow.pyfunc.scoring_server import get_cmd
command, environ = get_cmd(sys.argv[1], port=int(sys.argv[2]), host="127.0.0.1")
os.environ.update(environ)
if command.startswith("uvicorn "):
    sys.argv = shlex.split(command)
    runpy.run_module("uvicorn", run_name="__main__")
else:
    os.execvp("bash", ["bash", "-c", "exec " + command])
"""
"""What `mlflow models serve --env-manager local` does, without importing MLflow a second time for it."""


@contextmanager
def mlflow_serving(python: Path, model: Path, log: Path) -> Iterator[int]:
    """The port of MLflow's own server of a model."""
    port = free_port()
    command: list[str | Path] = [python, "-c", SERVE, model, str(port)]
    environ = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait_for(port, process, log)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if send(port, b"", None, "/ping", "GET").status == 200:
                return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.05)


def is_bare_failure(reply: Reply) -> bool:
    """MLflow's server fell over the request; ours says what failed, in MLflow's shape of an error."""
    return reply.status == 500 and (
        reply.body == b"Internal Server Error" or b"<title>500 Internal Server Error" in reply.body
    )


def told(reply: Reply) -> tuple[int, str, object]:
    """What has to be the same: all but a trace, which names files of the server, and the order of a set in a text."""
    body: Any = reply.body.decode()
    if reply.headers["content-type"] == "application/json" and body.startswith("{"):
        body = json.loads(body, parse_constant=str)
        body.pop("stack_trace", None)
        message = body.get("message", "")
        body["message"] = re.sub(r"\{('[\w]+'(?:, )?)+\}", lambda found: str(sorted(found[0])), message)
    return reply.status, reply.headers["content-type"], body


def differences(requests: Sequence[Request], theirs: Sequence[Reply], ours: Scoring) -> list[object]:
    """The requests that ours answers in another way, with both answers."""
    found: list[object] = []
    for request, reply in zip(requests, theirs, strict=True):
        mine = ours.send(*request)
        if is_bare_failure(reply):
            assert mine.status >= 400, request
        elif told(mine) != told(reply):
            found.append((request, told(reply), told(mine)))
    return found
