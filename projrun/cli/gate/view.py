"""The result of a gate, for people, for programs, and for the page of a GitHub workflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from projrun.cli.gate.judging import Compared, GateResult, Verdict
from projrun.cli.rendering import print_line, print_text, print_warning
from projrun.cli.tables import Content, Table, markdown_table, number_cell, print_table
from projrun.tracking.entities import Run

_VALUES = Table("values", ("VALUE", "RUN", "BASELINE", "DIFFERENCE"), cutting=("VALUE",))
_RULES = Table("rules", ("STATUS", "FAIL IF", "REASON"), cutting=("FAIL IF",))


def gate_document(result: GateResult) -> dict[str, Any]:
    """The keys of `projrun gate --json`."""
    return {
        "passed": result.passed,
        "run_id": result.run.run_id,
        "baseline_run_id": result.baseline.run_id if result.baseline else None,
        "rules": [
            {"fail_if": one.rule, "failed": one.failed, "reason": one.reason} for one in result.verdicts
        ],
        "values": [{**value._asdict(), "difference": value.difference} for value in result.values],
    }


def print_gate(result: GateResult) -> None:
    """The values, the rules, and the end of it."""
    print_table(_VALUES, [_value_row(value) for value in result.values])
    print_text("")
    print_table(_RULES, [_rule_row(verdict) for verdict in result.verdicts])
    print_text("")
    print_line(_conclusion(result))


def append_to_summary(result: GateResult) -> None:
    """Add the tables to the summary of a GitHub job, where there is one."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    values = markdown_table(_VALUES, [_value_row(value) for value in result.values])
    rules = markdown_table(_RULES, [_rule_row(verdict) for verdict in result.verdicts])
    try:
        with Path(place).open("a", encoding="utf-8", errors="backslashreplace") as summary:
            summary.write(f"\n{values}\n\n{rules}\n\n")
    except OSError as error:
        print_warning(f"GITHUB_STEP_SUMMARY cannot be written: {error.strerror}")


def _conclusion(result: GateResult) -> str:
    compared = f", compared with {_name(result.baseline)}" if result.baseline else ""
    return f"gate {'passed' if result.passed else 'FAILED'}: run {_name(result.run)}{compared}"


def _name(run: Run) -> str:
    return f"{run.run_name} ({run.run_id[:8]})"


def _value_row(value: Compared) -> list[Content]:
    numbers = (value.run, value.baseline, value.difference)
    return [value.name, *("" if number is None else number_cell(number) for number in numbers)]


def _rule_row(verdict: Verdict) -> list[Content]:
    return ["FAILED" if verdict.failed else "passed", verdict.rule, verdict.reason]
