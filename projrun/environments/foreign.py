"""What another package's environment manager returns, checked: its faults are reported as its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Protocol

from projrun.environments.protocol import ChildProcess, Launch, PreparedEnvironment, ResolvedEnvironment
from projrun.foreign import Origin, Results

_ORIGIN = "projrun.origin"
_FUNCTION = "projrun.end_function"


def manager_results() -> Results:
    """The checks of what `read_options`, `resolve` and `prepare` return."""
    return {
        "read_options": _checked_options,
        "resolve": _checked_resolution,
        "prepare": _checked_preparation,
    }


class _Outcome(Protocol):
    """What this room may know of the execution's `Outcome`."""

    def mistake(self, what: str) -> str: ...


def end_checked(outcome: _Outcome, details: Mapping[str, str], environ: Mapping[str, str]) -> object:
    """The `end_function` of a manager's process: calls the manager's own, and checks what it returns."""
    origin = Origin(*json.loads(details[_ORIGIN]))
    own = {name: text for name, text in details.items() if name not in (_ORIGIN, _FUNCTION)}
    with origin.faults():
        ended = _loaded(details[_FUNCTION])(outcome, own, environ)
    what = f"what `{details[_FUNCTION]}` returned"
    if mistake := origin.expect(ended, type(outcome), what).mistake(what):
        raise origin.fault(mistake)
    return ended


def _checked_options(origin: Origin, record: object) -> object:
    origin.expect(record, tuple, "what `read_options` returned")
    with origin.faults():  # a property may fail
        exported, unrecorded = getattr(record, "exported", {}), getattr(record, "unrecorded", ("", ""))
        words = (*exported.keys(), *exported.values())
        what, hint = unrecorded
    for word in (*words, what, hint):
        origin.expect(word, str, "a value in `exported` or `unrecorded`")
    return record


def _checked_resolution(origin: Origin, resolved: object) -> ResolvedEnvironment:
    return origin.expect_record(resolved, ResolvedEnvironment, "what `resolve` returned")


def _checked_preparation(origin: Origin, prepared: object) -> PreparedEnvironment:
    checked = origin.expect_record(prepared, PreparedEnvironment, "what `prepare` returned")
    if checked.wrap is None:
        return checked
    return checked._replace(wrap=partial(_wrapped, origin, checked))


def _wrapped(origin: Origin, prepared: PreparedEnvironment, launch: Launch) -> ChildProcess:
    with origin.faults():
        child = prepared.wrap(launch) if prepared.wrap is not None else None
    checked = origin.expect_record(child, ChildProcess, "what `wrap` returned")
    if not checked.end_function:
        return checked
    with origin.faults():  # before anything starts
        _loaded(checked.end_function)
    # A job's specification is text, so the origin travels in the details.
    details = {**checked.end_details, _ORIGIN: json.dumps(origin), _FUNCTION: checked.end_function}
    return checked._replace(end_function=f"{__name__}:{end_checked.__name__}", end_details=details)


def _loaded(target: str) -> Callable[..., object]:
    module, _, name = target.partition(":")
    function: Callable[..., object] = getattr(import_module(module), name)
    return function
