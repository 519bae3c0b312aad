"""`projrun run --detach`: starts the process that executes the request, and waits until its run is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from projrun.cache.ownership import make_private
from projrun.cli.rendering import one_line, print_json, print_text
from projrun.cli.request import build_request
from projrun.credentials import redact_uri
from projrun.errors import ProjrunError, RequestError
from projrun.execution.supervision.descendants import KEEP, RUN_IDS
from projrun.execution.supervision.signals import Interrupted, SignalRelay
from projrun.running.handover import discard_request, hand_over
from projrun.running.record.parent import ENDPOINT_STORE
from projrun.running.request import Context, RunRequest, context_of

# Not `-m`: the caller's folder would come first on the path, and a `yaml.py` in it before PyYAML.
_PROGRAM = (
    "import sys; sys.path = [one for one in sys.path if one]; "
    "from projrun.cli import leave_on_interrupt; leave_on_interrupt(); "
    "from projrun.cli.active.detached import main; main()"
)


def start_detached(values: Mapping[str, Any]) -> int:
    """Do what `projrun run --detach` does, from the values of the options of `run` by keyword.

    The other process says itself what is wrong with the request: until its run is recorded, its output is this one's.
    """
    request = build_request(values)
    context = context_of(request, os.environ)
    with SignalRelay():
        told, code = _started(request, context, as_json=values["as_json"])
    if told is None:
        return code
    if values["as_json"]:
        print_json(told)
        return 0
    print_text(told["run_id"])
    if not context.settings.enabled("quiet"):
        print_text(one_line(_advice(told)), err=True)
    return 0


def _advice(told: Mapping[str, str]) -> str:
    run_id = told["run_id"]
    return (
        f"projrun: run {told['run_name']} goes on in the background; follow it with `projrun attach {run_id[:8]}`, "
        f"end it with `projrun cancel {run_id[:8]}`"
    )


def _started(request: RunRequest, context: Context, *, as_json: bool) -> tuple[dict[str, Any] | None, int]:
    """What the process says of its run, once that is recorded; None, and its exit code, where it ended before."""
    file = _written(request, context.directories.active)
    try:
        reader, writer = os.pipe()
        with os.fdopen(reader, encoding="ascii") as answer:
            try:
                process = _start(request, file, writer, as_json=as_json)
            finally:
                os.close(writer)
            try:
                line = answer.readline()
            except Interrupted as interruption:  # there is to be no run that its caller has not heard of
                process.send_signal(interruption.signum)
                if process.wait() > 0 and not answer.readline():  # it has said so itself
                    return None, process.returncode
                raise
    finally:
        discard_request(file)
    if line:
        process.returncode = 0  # it is no longer this process's to wait for
        return json.loads(line), 0
    code = process.wait()
    if code < 0:
        raise ProjrunError(f"the runner was killed by signal {-code} before the run was recorded")
    return None, code


def _written(request: RunRequest, folder: Path) -> Path:
    try:
        make_private(folder)
        return hand_over(request, folder, os.urandom(16).hex())
    except OSError as error:
        raise RequestError(
            f"cannot write to {folder}: {error.strerror}",
            hint="set PROJRUN_HOME to a folder that you own, with free space",
        ) from None


def _start(request: RunRequest, file: Path, writer: int, *, as_json: bool) -> subprocess.Popen[bytes]:
    # The last word is only for people who look at the process list.
    words = [sys.executable, "-c", _PROGRAM, str(file), str(writer), "json" if as_json else "text"]
    return subprocess.Popen(
        [*words, redact_uri(request.uri)],
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        pass_fds=(writer,),
        start_new_session=True,
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's, for a process that outlives the run in which it is started, and the endpoint of that run."""
    own = {name: value for name, value in environ.items() if name not in (RUN_IDS, ENDPOINT_STORE)}
    if environ.get(ENDPOINT_STORE):
        own["MLFLOW_TRACKING_URI"] = environ[ENDPOINT_STORE]
    return {**own, KEEP: "1"}
