"""`projrun check`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from projrun.cli.quantities import count_text
from projrun.cli.rendering import print_json, print_line, print_text

if TYPE_CHECKING:
    from projrun.project.check import Finding


@click.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Make warnings errors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(context: click.Context, path: Path, strict: bool, as_json: bool) -> None:
    """Find mistakes in the MLproject file in the folder PATH; run nothing.

    Errors stop a run, warnings do not. The exit code is 2 if there are errors, else 0.

    \b
    projrun check
    projrun check examples/train --strict --json
    """
    from projrun.project.check import check_project

    directory = path.parent if path.name.lower() == "mlproject" and path.is_file() else path
    findings = check_project(directory)
    if strict:
        findings = tuple(finding._replace(severity="error") for finding in findings)
    if as_json:
        _print_json(directory, findings)
    else:
        _print_text(directory, findings)
    context.exit(2 if _count(findings, "error") else 0)


def _print_json(directory: Path, findings: Sequence[Finding]) -> None:
    print_json(
        {
            "project": str(directory),
            "errors": _count(findings, "error"),
            "warnings": _count(findings, "warning"),
            "findings": [_document(finding) for finding in findings],
        }
    )


def _document(finding: Finding) -> dict[str, object]:
    place = finding.location
    return {
        "severity": finding.severity,
        "code": finding.code,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": finding.message,
        "hint": finding.hint,
    }


def _print_text(directory: Path, findings: Sequence[Finding]) -> None:
    from projrun.project.check import excerpt_of

    for finding in findings:
        place = f"{finding.location}: " if finding.location else ""
        separator = " " if finding.message.endswith("?") else "; "
        hint = separator + finding.hint if finding.hint else ""
        print_line(f"{place}{finding.severity}: {finding.message}{hint} [{finding.code}]")
        shown = excerpt_of(finding, directory)
        if shown:
            print_text("\n".join(f"    {line}" for line in shown.split("\n")))
    print_text(_summary(_count(findings, "error"), _count(findings, "warning")))


def _summary(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "no problems found"
    return f"{count_text(errors, 'error')}, {count_text(warnings, 'warning')}"


def _count(findings: Sequence[Finding], severity: str) -> int:
    return sum(finding.severity == severity for finding in findings)
