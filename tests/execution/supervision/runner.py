"""A small real runner, started by the tests as a process of its own: one job, supervised as the CLI does it.

Usage: python runner.py REQUEST_FILE, a JSON file that `support.Runner` writes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from projrun.execution.protocol import Job, JobSpec, Limits, Outcome
from projrun.execution.registry import get_backend
from projrun.execution.supervision.descendants import RUN_IDS
from projrun.execution.supervision.signals import Interrupted, SignalRelay


def main(request_file: Path) -> int:
    """Run the request's command and leave its outcome in a file."""
    request = json.loads(request_file.read_text("utf-8"))
    spec = JobSpec(
        command=request["command"],
        argv_prefix=(),
        directory=Path(request["directory"]),
        environ={**os.environ, RUN_IDS: request["ids"]},
        log_file=Path(request["log_file"]),
        grace_period=request["grace_period"],
        secrets=tuple(request["secrets"]),
        forward_stdout_to_stderr=request["forward_stdout_to_stderr"],
        terminal=request["terminal"],
        keyboard=request["terminal"],
        limits=Limits(timeout=request["timeout"]),
        mark=request["ids"].rpartition(":")[2],
    )

    def start() -> Job:
        backend = get_backend("local")
        ref = backend.submit(spec, {})
        write(Path(request["job_file"]), ref.partition(":")[0])
        return backend.attach(ref)

    # As in the CLI: the kernel may give them a signal.
    for _ in range(8):
        Thread(target=Event().wait, daemon=True).start()
    with SignalRelay() as relay:
        outcome = supervise(relay, start, Path(request["building_file"]) if request["builds"] else None)
    write(Path(request["outcome_file"]), json.dumps(outcome))
    return outcome.exit_code


def supervise(relay: SignalRelay, start: Callable[[], Job], building_file: Path | None) -> Outcome:
    """Pretend to build for a minute where that is asked for, then run the job."""
    try:
        if building_file is not None:
            building_file.touch()
            time.sleep(60)
        job = relay.launch(start)
        with relay.attached(job):
            return job.wait()
    except Interrupted as interruption:
        return interruption.outcome


def write(file: Path, text: str) -> None:
    """Write a file that a reader sees whole or not at all."""
    new = file.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(file)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
