"""The GPUs of this machine that a run has for itself: locked for others, shown to the command."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from projrun.cache.locks import open_locked
from projrun.cache.ownership import make_private
from projrun.errors import RequestError
from projrun.running.gpu_choice import VISIBLE, check_gpus, choices
from projrun.running.session import Claim, Session
from projrun.running.waiting import Wait

_ORDER = "CUDA_DEVICE_ORDER"
POOL = "PROJRUN_GPU_POOL"
"""The variable that names the run whose GPUs a nested run chooses from."""

_PAUSE = 1.0
"""Seconds between two looks at GPUs that are all busy."""


@contextmanager
def claimed(session: Session, count: int) -> Iterator[Claim]:
    """As many GPUs, for the `with` block; waits until they are free.

    The guard of a command keeps the locks, too, so that they last until its processes have ended.
    """
    environ = session.plan.environ
    with ExitStack() as held:
        devices: list[tuple[str, int]] = []
        if count:
            check_gpus(count, environ)
            devices = _wait_for(session, count, held)
        names = tuple(name for name, _ in devices)
        # As nvidia-smi counts them; names of the caller's are in the caller's order.
        order = {} if VISIBLE in environ or not names else {_ORDER: "PCI_BUS_ID"}
        variables = {VISIBLE: ",".join(names), POOL: session.lease.mark.origin_id, **order}
        yield Claim(names, variables, tuple(descriptor for _, descriptor in devices))


def _wait_for(session: Session, count: int, held: ExitStack) -> list[tuple[str, int]]:
    folder = session.plan.directories.data / "gpus"
    with Wait(session) as wait:
        told = False
        while True:
            try:
                make_private(folder)
                devices = _free(folder, count, session.plan.environ, held)
            except OSError as error:
                raise RequestError(
                    f"--gpus: cannot lock in {folder}: {error.strerror}",
                    hint="set PROJRUN_HOME to a local folder",
                ) from None
            if devices:
                return devices
            if not told:
                session.reporter.info(f"waiting for {count} free GPU{'s' if count > 1 else ''}")
                told = True
            wait.sleep(_PAUSE + os.urandom(1)[0] / 512)  # so that two do not keep in step


def _free(folder: Path, count: int, environ: Mapping[str, str], held: ExitStack) -> list[tuple[str, int]]:
    """All of them locked, or none: who holds some and waits for others could wait for ever."""
    devices = []
    with ExitStack() as attempt:
        for name, lock in choices(environ).items():
            word = "-".join(filter(None, (environ.get(POOL), lock)))
            file = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', word)[:200]}.lock"
            stream = open_locked(file, os.O_RDWR | os.O_CREAT)
            if stream is None:
                continue
            attempt.callback(stream.close)
            attempt.callback(file.unlink, missing_ok=True)
            devices.append((name, stream.fileno()))
            if len(devices) == count:
                held.push(attempt.pop_all())
                return devices
    return []
