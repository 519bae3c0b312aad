"""Where the readers of a project report mistakes: `run` stops at the first error, `check` collects all."""

from __future__ import annotations

from typing import Literal, NamedTuple

from yaml.nodes import Node

from projrun.errors import RequestError
from projrun.project.model import Location
from projrun.project.reading.document import Document
from projrun.project.text import LocatedError


class Finding(NamedTuple):
    """One thing that `projrun check` reports."""

    severity: Literal["error", "warning"]
    location: Location | None
    """None where it belongs to the project as a whole."""
    message: str
    hint: str
    code: str
    """A stable word for tools: `unknown-key`, `missing-command`, …"""


class Report:
    """Raises the first error as LocatedError; keeps the warnings."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.warnings: list[str] = []

    def error(self, code: str, node: Node, problem: str, hint: str = "") -> None:
        """Report an error at `node`; `code` names the rule."""
        location = self.document.locate(node)
        raise LocatedError(location, problem, hint=hint, detail=self.document.excerpt(location), code=code)

    def warning(self, code: str, node: Node, problem: str, hint: str = "") -> None:
        """Report something that runs but is likely a mistake."""
        separator = " " if problem.endswith("?") else "; "
        self.warnings.append(f"{self.document.locate(node)}: {problem}{hint and separator + hint}")

    def undecided(self, code: str, node: Node, problem: str, hint: str = "") -> None:
        """Report an error of those runs alone that do not decide it themselves."""

    def failed(self, error: RequestError) -> None:
        """Report an error that another layer raised."""
        raise error


class Collector(Report):
    """Keeps every error as a Finding; the readers continue with the rest."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.findings: list[Finding] = []

    def error(self, code: str, node: Node, problem: str, hint: str = "") -> None:
        self.findings.append(Finding("error", self.document.locate(node), problem, hint, code))

    def warning(self, code: str, node: Node, problem: str, hint: str = "") -> None:
        self.findings.append(Finding("warning", self.document.locate(node), problem, hint, code))

    def undecided(self, code: str, node: Node, problem: str, hint: str = "") -> None:
        self.error(code, node, problem, hint)

    def failed(self, error: RequestError) -> None:
        self.findings.append(finding_of(error))


def finding_of(error: RequestError) -> Finding:
    """An error of any layer as a Finding."""
    if isinstance(error, LocatedError):
        return Finding("error", error.location, error.problem, error.hint, error.code)
    return Finding("error", None, error.message, error.hint, "invalid-project")
