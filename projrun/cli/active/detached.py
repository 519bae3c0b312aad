"""The process of a detached run, started by `projrun.cli.active.detach` with a request and a pipe.

It behaves as `projrun run`. Once the run is recorded it tells its starter so, as one line of JSON, and lets go of the
starter's output: from then on its messages go to a file of the run's lease, the command's output only to the log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from projrun.cli import leave
from projrun.cli.execution import guarded
from projrun.cli.run import carry_out
from projrun.running.handover import take_over
from projrun.running.request import context_of
from projrun.running.session import Session, store_name


def main() -> NoReturn:
    """`FILE DESCRIPTOR json|text`: execute the request, and exit with the code of `projrun run`."""
    file, descriptor, form = sys.argv[1:4]
    os.set_inheritable(int(descriptor), False)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup: it outlives its terminal
    leave(guarded(lambda: _carry_out(Path(file), int(descriptor)), as_json=form == "json"))


def _carry_out(file: Path, descriptor: int) -> int:
    request = take_over(file, os.environ)
    context = context_of(request, os.environ)

    def recorded(session: Session) -> None:
        _let_go(session.lease.messages)
        with suppress(OSError):  # the starter has gone: the run goes on
            os.write(descriptor, f"{json.dumps(_description(session))}\n".encode("ascii"))
        os.close(descriptor)

    return carry_out(request, context, quiet=context.settings.enabled("quiet"), on_record=recorded)


def _description(session: Session) -> dict[str, object]:
    """The keys of `projrun run --detach --json`; a contract test pins them."""
    run = session.recorder.run
    return {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "experiment_id": run.experiment_id,
        "status": run.status,
        "start_time": run.start_time,
        "artifact_uri": run.artifact_uri,
        "tracking_uri": store_name(session.plan),
        "pid": os.getpid(),
    }


def _let_go(messages: Path) -> None:
    """Write what this process says to a file; on a full disk nowhere. Its descriptors are `/dev/null` from now on."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    with suppress(OSError):
        # Its last line is written on the way out: it stays open for as long as the process.
        sys.stderr = messages.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
