"""What waits for a server that is away."""

from __future__ import annotations

import fcntl
import json
import os
import shutil

from .entities import Run
from .environment import home, without_password

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from .calls import Calls
    from .values import Json

_ENDING = ".jsonl"


def _folder() -> str:
    return os.path.join(home(), "spool")


class Spool:
    """A file of calls that wait for their server, one line each; the files of artifacts are in a folder beside it."""

    def __init__(self, path: str, target: str, file: TextIO) -> None:
        self.path, self.target = path, target
        self._file = file
        """Locked until this process ends, or the spool is delivered."""
        self._runs: dict[str, Run] = {}
        self._done = 0
        """The last line that was taken; the first one is the head."""
        self._lines = 0
        """Those that this process has written; a part of one more may be there."""
        self._is_cut = False

    @classmethod
    def create(cls, uri: str) -> Spool:
        """A new one, in the data folder of projrun."""
        os.makedirs(_folder(), mode=0o700, exist_ok=True)
        path = os.path.join(_folder(), f"{os.urandom(8).hex()}{_ENDING}")
        file = open(  # noqa: SIM115 - held until this process ends
            os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600), "a+", encoding="utf-8"
        )
        fcntl.flock(file, fcntl.LOCK_EX)
        spool = cls(path, without_password(uri), file)
        spool._write({"target": spool.target, "version": 1})
        return spool

    @classmethod
    def waiting(cls) -> Iterator[Spool]:
        """Those of processes that have ended."""
        try:
            names = sorted(os.listdir(_folder()))
        except FileNotFoundError:
            return
        for name in names:
            if name.endswith(_ENDING):
                path = os.path.join(_folder(), name)
                file = _locked(path)
                if file is not None:
                    head = _line(file.readline())
                    if head is not None:
                        yield cls(path, str(head.get("target", "")), file)

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
        # A line that a full disk has cut off must not take this one with it.
        text = "\n" * self._is_cut + json.dumps(line, default=str) + "\n"
        self._is_cut = True
        try:
            self._file.write(text)
            self._file.flush()
            self._is_cut = False
        finally:
            self._lines += 1

    def deliver(self, calls: Calls, say: Callable[[str, str], object]) -> int:
        """Make the calls that wait, in their order, and remove the file; how many. Raises AwayError.

        `say` gets what the server refuses.
        """
        done = self.catch_up(calls, say)
        self.remove()
        return done

    def catch_up(self, calls: Calls, say: Callable[[str, str], object]) -> int:
        """Make the calls that wait now; how many. Raises AwayError."""
        done = 0
        for run, call, body in self._calls(say):
            calls.record(run, call, body, say)
            done += 1
        return done

    def skip(self) -> None:
        """The first call that waits was made already."""
        self._done += 1

    @property
    def is_delivered(self) -> bool:
        """Whether all that this process has written was taken."""
        return self._done >= self._lines - 1

    def remove(self) -> None:
        """Forget what waits."""
        os.unlink(self.path)
        shutil.rmtree(f"{self.path}.files", ignore_errors=True)
        self._file.close()

    def _calls(self, say: Callable[[str, str], object]) -> Iterator[tuple[Run, str, Json]]:
        """What waits, in its order; asked again, what was not taken then."""
        with open(self.path, encoding="utf-8") as file:
            for number, text in enumerate(file):
                if number <= self._done:  # the head, and what was taken
                    continue
                if self._lines and number >= self._lines:
                    return
                said = _line(text)
                if said is None:
                    if text.strip():
                        say(self.path, f"line {number + 1} is damaged: not recorded")
                else:
                    yield self._run(said["run"], said["run_id"]), said["call"], self._body(said)
                self._done = number

    def _body(self, said: Json) -> Json:
        body: Json = said["body"]
        if "parent_origin" in body:
            body["parent"] = body["parent"] or self._run(body["parent_origin"], "")
        if said["call"] == "runs/create":
            body["again"] = True
        return body

    def _run(self, origin: str, run_id: str) -> Run:
        run = self._runs.setdefault(origin, Run())
        run.origin = origin
        if run_id and run.known is None:
            run.know({"run_id": run_id})
        return run


def _locked(path: str) -> TextIO | None:
    """The file, which this process has now; None where another one has it, or has delivered it."""
    try:
        file = open(path, encoding="utf-8")  # noqa: SIM115 - held until it is delivered
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file if os.path.exists(path) else None


def _line(text: str) -> Json | None:
    """A line as it was written; None for half a one, of a process that was killed or a disk that was full."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
