"""What waits for a server that is away."""

from __future__ import annotations

import fcntl
import json
import os
import shutil

from .entities import Run
from .environment import home, warn, without_password
from .errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from .calls import Calls
    from .values import Json

_ENDING = ".jsonl"


def _folder() -> str:
    return os.path.join(home(), "spool")


class Spool:
    """A file of calls that wait for their server, one line each; the files of artifacts are in a folder beside it."""

    def __init__(self, path: str, target: str) -> None:
        self.path, self.target = path, target
        self._lock: TextIO | None = None
        self._runs: dict[str, Run] = {}
        self._done = 0

    @classmethod
    def create(cls, uri: str) -> Spool:
        """A new one, in the data folder of projrun."""
        os.makedirs(_folder(), mode=0o700, exist_ok=True)
        spool = cls(os.path.join(_folder(), f"{os.urandom(8).hex()}{_ENDING}"), without_password(uri))
        spool._write({"target": spool.target, "version": 1})
        spool._is_taken()
        return spool

    @classmethod
    def waiting(cls) -> Iterator[Spool]:
        """Those of processes that have ended."""
        try:
            names = sorted(os.listdir(_folder()))
        except FileNotFoundError:
            return
        for name in names:
            spool = cls(os.path.join(_folder(), name), "")
            if name.endswith(_ENDING) and not spool._is_taken():
                with open(spool.path, encoding="utf-8") as file:
                    head = file.readline()
                if head.endswith("\n"):
                    spool.target = str(json.loads(head)["target"])
                    yield spool

    def _is_taken(self) -> bool:
        """Whether another process has it; else this one has it now."""
        self._lock = open(self.path, encoding="utf-8")  # noqa: SIM115 - held until the process ends
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return not os.path.exists(self.path)  # another one has delivered it meanwhile

    def add(self, run: Run, call: str, body: Json) -> None:
        """One more call."""
        self._runs[run.origin] = run
        if call == "artifact":
            body = {**body, "file": self._copy(body["file"])}
        parent = body.get("parent")
        if isinstance(parent, Run):
            self._runs[parent.origin] = parent
            body = {**body, "parent_origin": parent.origin, "parent": parent.known and parent.known.run_id}
        run_id = run.known.run_id if run.known else ""
        self._write({"run": run.origin, "run_id": run_id, "call": call, "body": body})

    def _copy(self, file: str) -> str:
        folder = f"{self.path}.files"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return shutil.copyfile(file, os.path.join(folder, os.urandom(8).hex()))

    def _write(self, line: Json) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with open(os.open(self.path, flags, 0o600), "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def deliver(self, calls: Calls) -> int:
        """Make the calls that wait, in their order, and remove the file; how many. Raises AwayError."""
        done = 0
        for run, call, body in self._calls():
            try:
                calls.make(run, call, body)
            except RefusedError as error:
                warn(call, f"not recorded: {error}")
            done += 1
        self.remove()
        return done

    def remove(self) -> None:
        """Forget what waits."""
        os.unlink(self.path)
        shutil.rmtree(f"{self.path}.files", ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    def _calls(self) -> Iterator[tuple[Run, str, Json]]:
        """What waits, in its order; asked again, what was not taken then."""
        with open(self.path, encoding="utf-8") as file:
            for number, line in enumerate(file):
                if number <= self._done or not line.endswith("\n"):  # the head; where a process was killed
                    continue
                said = json.loads(line)
                run = self._run(said["run"], said["run_id"])
                body = said["body"]
                if "parent_origin" in body:
                    body["parent"] = body["parent"] or self._run(body["parent_origin"], "")
                if said["call"] == "runs/create":
                    body["again"] = True
                yield run, said["call"], body
                self._done = number

    def _run(self, origin: str, run_id: str) -> Run:
        run = self._runs.setdefault(origin, Run())
        run.origin = origin
        if run_id and run.known is None:
            run.know({"run_id": run_id})
        return run
