"""Where points come from: the command's output, JSON and CSV files of the project, the file of `PROJRUN_METRICS`.

Each is read from where it was left. What cannot be read is a problem that is said once, and never stops a run.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from projrun.bounded import parse_json, read_file
from projrun.project.files import is_inside
from projrun.running.outputs.growth import Growth, Signature, signature
from projrun.running.outputs.matching import Found, Patterns
from projrun.running.outputs.rows import Points, Row, line_row, number, row_of, rows_of
from projrun.tracking.entities import Metric
from projrun.typed import Protocol

LARGEST_JSON = 1 << 24
"""Bytes of a JSON file, which is read as a whole; the larger ones are .jsonl or .csv."""


class Source(Protocol):
    """Something that says points."""

    def points(self, *, whole: bool) -> Iterator[Metric]:
        """Those that were added since; `whole`: the command has ended. May be left before its end, and gone on with."""
        ...

    def problems(self) -> list[str]:
        """What people should know about it, at the end."""
        ...


class Output:
    """The lines of the command's output that patterns match."""

    def __init__(self, log: Path, patterns: tuple[str, ...], *, timestamps: bool) -> None:
        self._log = log
        self._growth = Growth(log)
        self._patterns = Patterns(patterns, timestamps=timestamps)
        self._points = Points()
        self._problems: dict[str, str] = {}

    def points(self, *, whole: bool) -> Iterator[Metric]:
        try:
            for block in self._growth.blocks(whole=whole):
                for groups in self._patterns.matches(block):
                    self._check(groups)
                    yield from self._points.of(row_of(groups.items(), ("step",)))
        except OSError:
            return  # no output yet, or a full disk that ended its log
        if whole:  # another attempt has another log, which may begin in the same way
            self._growth = Growth(self._log)

    def _check(self, groups: Found) -> None:
        for name, text in groups.items():
            if name not in self._problems and number(text) is None:
                self._problems[name] = f"the output has {text!r} as {name}, which is not a number"

    def problems(self) -> list[str]:
        return [*self._patterns.problems, *self._problems.values()]


class _File:
    """A file of the project; one that the command has left as it was is an earlier run's."""

    def __init__(self, project: Path, name: str) -> None:
        self._path = project / name
        self._project = project
        self._name = name
        self._before = signature(self._path)
        self._written = False
        self._problem = ""
        self._values = 0

    def _is_written(self) -> bool:
        """Whether the command has written it, to a place inside of the project."""
        found = signature(self._path)
        if found is None or (not self._written and found == self._before):
            return False
        if not is_inside(self._project, self._path):
            self._problem = "is a link that leaves the project"
            return False
        self._written = True
        return True

    def _counted(self, points: Iterator[Metric]) -> Iterator[Metric]:
        for point in points:
            self._values += 1
            yield point

    def problems(self) -> list[str]:
        if not self._problem and not self._written:
            self._problem = "was not written by the command"
        elif not self._problem and not self._values:
            self._problem = "holds no metrics"
        return [f"{self._name} {self._problem}"] if self._problem else []


class JsonFile(_File):
    """A file that holds one document, which is written again and again."""

    def __init__(self, project: Path, name: str) -> None:
        super().__init__(project, name)
        self._points = Points(again=True)
        self._read: Signature | None = None

    def points(self, *, whole: bool) -> Iterator[Metric]:
        found = signature(self._path)
        if not self._is_written() or found == self._read:
            return
        try:
            document = parse_json(read_file(self._path, LARGEST_JSON).decode("utf-8-sig"))
        except OSError as error:
            self._problem = f"cannot be read: {error.strerror or error}"
        except ValueError as error:  # it is being written, or no JSON
            self._problem = f"is not JSON: {error}"
        else:
            self._problem = ""
            self._read = found
            for row in rows_of(document):
                yield from self._counted(self._points.of(row, counted=False))


class LinesFile(_File):
    """A file to which rows are added: JSON lines, or CSV with a line of names."""

    def __init__(self, project: Path, name: str) -> None:
        super().__init__(project, name)
        self._growth = Growth(self._path)
        self._points = Points(again=True)
        self._rows = Table() if name.endswith(".csv") else Lines()
        self._restarts = 0

    def points(self, *, whole: bool) -> Iterator[Metric]:
        if not self._is_written():
            return
        try:
            for block in self._growth.blocks(whole=whole):
                if self._growth.restarts != self._restarts:
                    self._restarts = self._growth.restarts
                    self._rows.restart()
                    self._points.restart()
                for row in self._rows.of(block):
                    yield from self._counted(self._points.of(row))
        except OSError as error:
            self._problem = f"cannot be read: {error.strerror or error}"

    def problems(self) -> list[str]:
        said = self._rows.problem
        return [*super().problems(), *([f"{self._name}: {said}"] if said else [])]


class Told:
    """The file that `PROJRUN_METRICS` names: JSON lines, of the command and of all that it starts."""

    def __init__(self, path: Path) -> None:
        self._growth = Growth(path)
        self._points = Points()
        self._rows = Lines()

    def points(self, *, whole: bool) -> Iterator[Metric]:
        try:
            for block in self._growth.blocks(whole=whole):
                for row in self._rows.of(block):
                    yield from self._points.of(row)
        except OSError:
            return  # nothing was written to it

    def problems(self) -> list[str]:
        return [f"PROJRUN_METRICS: {self._rows.problem}"] if self._rows.problem else []


class Lines:
    """Rows of JSON lines."""

    def __init__(self) -> None:
        self.problem = ""
        """What is wrong with the first wrong line."""
        self._number = 0

    def restart(self) -> None:
        """The lines come from the beginning again."""
        self._number = 0

    def of(self, block: bytes) -> Iterator[Row]:
        """The rows of whole lines."""
        for line in block.splitlines():
            self._number += 1
            if not line.strip():
                continue
            try:
                row = line_row(json.loads(line.decode("utf-8-sig")))
            except (ValueError, RecursionError):
                self._wrong("is not JSON")
                continue
            if row.values:
                yield row
            else:
                self._wrong("holds no number")

    def _wrong(self, problem: str) -> None:
        self.problem = self.problem or f"line {self._number} {problem}"


class Table:
    """Rows of CSV. A row that holds no number, or not as many cells as there are names, is left out."""

    def __init__(self) -> None:
        self.problem = ""
        self._names: list[str] | None = None
        self._number = 0

    def restart(self) -> None:
        """The line of names comes again."""
        self._names, self._number = None, 0

    def of(self, block: bytes) -> Iterator[Row]:
        """The rows of whole lines; the first line has the names."""
        for line in block.decode("utf-8", "replace").split("\n"):
            self._number += 1
            cells = self._cells(line.removesuffix("\r").removeprefix("\ufeff"))
            if not cells:
                continue
            if self._names is None:
                self._names = [name.strip() for name in cells]
            elif len(cells) != len(self._names):
                self.problem = self.problem or f"line {self._number} has not as many cells as the first one"
            else:
                row = row_of(zip(self._names, cells, strict=True))
                if row.values:
                    yield row
        self._number -= 1  # what follows the last line break is no line

    def _cells(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line]), [])
        except csv.Error as error:
            self.problem = self.problem or f"line {self._number}: {error}"
            return []
