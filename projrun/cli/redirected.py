"""The process of a redirected `mlflow.run`, started by `projrun_mlflow_run` with a request and a pipe.

It behaves as `projrun run --quiet`, and tells what its starter waits for as JSON objects, one a line: `run_id` when
the run is recorded, `interrupted` for each SIGINT, and `status` and `reason`, or `error`, at the end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from projrun.cli import leave
from projrun.cli.execution import guarded
from projrun.cli.rendering import visible
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import ProjrunError
from projrun.execution.supervision.signals import SignalRelay
from projrun.running.handover import take_over
from projrun.running.plan import make_plan
from projrun.running.request import context_of
from projrun.running.runner import execute
from projrun.running.session import Options

_LONGEST = 3000
"""Characters of a message: one write of a line is whole, and fits into a pipe that is not read yet."""


class _Pipe:
    """What the starter hears."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor

    def tell(self, **message: object) -> None:
        with suppress(OSError):  # the starter has gone: the run goes on
            os.write(self._descriptor, f"{json.dumps(message)}\n".encode("ascii"))


class _Relay(SignalRelay):
    """The command line's, which also tells of interrupts: the starter need not send one that came anyway."""

    def __init__(self, pipe: _Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGINT:
            self._pipe.tell(interrupted=True)
        super()._handle(signum, frame)


def _carry_out(file: Path, pipe: _Pipe) -> int:
    reporter = CommandLineReporter(quiet=True)
    with _Relay(pipe) as relay:
        try:
            request = take_over(file, os.environ)
            plan = make_plan(request, context_of(request, os.environ), activity=reporter.activity)
            reporter.tell((), plan.warnings)
            options = Options(relay, on_record=lambda session: pipe.tell(run_id=session.recorder.run.run_id))
            outcome = execute(plan, reporter, options).outcome
        except ProjrunError as error:
            # It becomes an exception of the starter's, which Python prints as it is.
            text = visible(f"{error.message}; {error.hint}" if error.hint else error.message)
            pipe.tell(error=text[:_LONGEST])
            raise
    pipe.tell(status=outcome.status, reason=visible(outcome.reason)[:_LONGEST])
    return outcome.exit_code


def main() -> NoReturn:
    """`FILE DESCRIPTOR`: execute the request, and exit with the code of `projrun run`."""
    file, descriptor = sys.argv[1:]
    leave(guarded(lambda: _carry_out(Path(file), _Pipe(int(descriptor)))))
