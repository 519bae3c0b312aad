"""One worker: a process in the model's environment, from its start to its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import msgspec

from projrun.errors import ProjrunError, RequestError
from projrun.models.mlmodel import read_written
from projrun.models.serving.answers import Answer, overdue, unavailable
from projrun.models.serving.link import Link, WorkerLostError
from projrun.models.serving.served import ServedModel

_SCRIPT = Path(__file__).parent / "worker" / "model_worker.py"
NOTHING: Mapping[str, object] = MappingProxyType({})
_POLL = 0.01
_LEAVE = 3.0
"""Seconds that a worker has to end by itself."""


class ModelError(ProjrunError):
    """The model could not be loaded in its environment."""

    exit_code = 4


def shown(error: BaseException) -> str:
    """An error in one line; one that is not projrun's own is named by its type."""
    if isinstance(error, ProjrunError):
        return error.message
    return " ".join(f"{type(error).__name__}: {error}".split())


class WorkerProcess:
    """A worker. It leads a process group of its own, in which is all that the model's code starts."""

    def __init__(self, model: ServedModel, lost: Callable[[WorkerProcess], None]) -> None:
        """`lost` is called once it has died or left."""
        self._model = model
        self._lost = lost
        self._link = Link(self._was_lost)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_overdue = False
        self.version = ""
        """Of the environment's MLflow."""

    @property
    def pid(self) -> int:
        """Of its process; 0 before it was started."""
        return self._process.pid if self._process else 0

    async def load(self) -> None:
        """Start the process and wait for its model. Raises ModelError where that fails."""
        written = await asyncio.to_thread(_written, self._model)
        try:
            await self._connect()
        except OSError as error:
            reason = f"{self._model.command[0]} cannot be started: {error.strerror}"
            raise ModelError(f"model {self._model.name!r} cannot be loaded: {reason}") from None
        try:
            head, _ = await self._link.ask(b"{}", written)
        except WorkerLostError:
            head = None
        if head is None or head.failed:
            reason = head.failed if head else f"its process ended with {await self.end()}"
            raise ModelError(
                f"model {self._model.name!r} cannot be loaded: {reason}", hint="its own output is above"
            )
        self.version = head.version

    async def _connect(self) -> None:
        ours, its = socket.socketpair()
        with its:
            try:
                self._start(its)
                await asyncio.get_running_loop().create_unix_connection(lambda: self._link, sock=ours)
            except BaseException:
                ours.close()
                raise

    def _start(self, its: socket.socket) -> None:
        arguments = (str(its.fileno()), str(self._model.folder))
        self._process = subprocess.Popen(
            [*self._model.command, str(_SCRIPT), *arguments],
            env={**self._model.environ, "_MLFLOW_IS_IN_SERVING_ENVIRONMENT": "true"},  # asked by models
            stdin=subprocess.DEVNULL,
            stdout=2,  # what the model prints is for the log
            pass_fds=(its.fileno(),),
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        """Whether it may answer."""
        return not self._link.is_lost

    async def answer(
        self, content_type: str, body: bytes, timeout: float, extra: Mapping[str, object] = NOTHING
    ) -> Answer:
        """The model's answer; the process is killed where it does not come in time, in seconds."""
        timer = asyncio.get_running_loop().call_later(timeout, self._give_up)
        try:
            asked = self._link.ask(msgspec.json.encode({"type": content_type, **extra}), body)
            head, predictions = await asked
        except WorkerLostError:
            if self._is_overdue:
                return overdue()
            return unavailable("The process of the model died while it answered this request.")
        finally:
            timer.cancel()
        return Answer(head.status, predictions, head.type, head.headers)

    def _give_up(self) -> None:
        self._is_overdue = True
        self.kill()
        self._link.close()

    def _was_lost(self) -> None:
        self._lost(self)

    def kill(self) -> None:
        """Kill it and all that the model has started."""
        # The group is there for as long as its leader was not waited for, dead or not.
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self, patience: float = _LEAVE) -> int:
        """Let it end, and kill it where it does not; gives its exit code."""
        self._link.close()
        process = self._process
        if process is None:
            return 0
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while not _has_ended(process.pid) and loop.time() < deadline:
            await asyncio.sleep(_POLL)
        self.kill()
        while process.poll() is None:
            await asyncio.sleep(_POLL)
        return process.returncode


def _written(model: ServedModel) -> bytes:
    """What the worker has to know of the MLmodel file, in JSON: its Python may have no YAML."""
    try:
        written = read_written(model.folder)
    except RequestError as error:
        raise ModelError(f"model {model.name!r} cannot be loaded: {error.message}") from None
    told = {"flavors": written.get("flavors"), "signature": written.get("signature")}
    told["mlflow_version"] = str(written.get("mlflow_version") or "")  # `3.1` is a number in YAML
    return json.dumps(told, default=str, skipkeys=True).encode()


def _has_ended(pid: int) -> bool:
    """Whether a child has, which stays there to be waited for; unknown on macOS before Python 3.13."""
    waitid = getattr(os, "waitid", None)
    try:
        return bool(waitid and waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    except ChildProcessError:
        return True
