"""A run, its baseline, and what the rules say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projrun.cli.gate.rules import Rule, UndefinedError, Value
from projrun.errors import RequestError
from projrun.suggestions import did_you_mean
from projrun.tracking.entities import Run


class Verdict(NamedTuple):
    """What a rule says."""

    rule: str
    failed: bool
    reason: str = ""
    """Why it failed, where that is not its being true."""


class Compared(NamedTuple):
    """A value that the rules name."""

    name: str
    run: float | None
    baseline: float | None

    @property
    def difference(self) -> float | None:
        """Run less baseline."""
        return None if self.run is None or self.baseline is None else self.run - self.baseline


class GateResult(NamedTuple):
    """All that is shown."""

    run: Run
    baseline: Run | None
    values: tuple[Compared, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether no rule failed."""
        return not any(verdict.failed for verdict in self.verdicts)


def judge(run: Run, baseline: Run | None, rules: Sequence[Rule]) -> GateResult:
    """The result. RequestError for what a run does not have, and where a baseline is needed and not given."""
    verdicts = tuple(_verdict(rule, run, baseline) for rule in rules)
    named = dict.fromkeys((value.section, value.name) for rule in rules for value in rule.values)
    values = (
        Compared(
            f"{section}.{name}",
            _recorded(run, Value(section, name)),
            _recorded(baseline, Value(section, name)),
        )
        for section, name in named
    )
    return GateResult(run, baseline, tuple(values), verdicts)


def _verdict(rule: Rule, run: Run, baseline: Run | None) -> Verdict:
    try:
        return Verdict(rule.text, rule.holds(lambda value: _needed(value, run, baseline)))
    except UndefinedError:
        return Verdict(rule.text, failed=True, reason="a value is NaN")


def _needed(value: Value, run: Run, baseline: Run | None) -> float:
    chosen = baseline if value.of_baseline else run
    if chosen is None:
        raise RequestError(
            "the rules name a baseline, and none is given", hint="add --baseline RUN, or `best`"
        )
    found = _recorded(chosen, value)
    if found is not None:
        return found
    whose = "the baseline" if value.of_baseline else "run"
    known = [each.key for each in (chosen.metrics if value.section == "metrics" else chosen.params)]
    what = "metric" if value.section == "metrics" else "parameter with a number"
    raise RequestError(
        f"{whose} {chosen.run_name} ({chosen.run_id}) has no {what} {value.name!r}{did_you_mean(value.name, known)}",
        hint=f"it has: {', '.join(known)}" if known else "",
    )


def _recorded(run: Run | None, value: Value) -> float | None:
    if run is None:
        return None
    if value.section == "metrics":
        return next((metric.value for metric in run.metrics if metric.key == value.name), None)
    text = next((param.value for param in run.params if param.key == value.name), None)
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
