"""Compares two answers: the status, the error code, what clients look for in a message, and the whole body."""

from __future__ import annotations

import re
from typing import Any

from tests.integration.probe.allowed import MORE, SILENT
from tests.integration.probe.sending import Answer

WORDS = [
    re.compile(pattern)
    for pattern in (
        r"Missing value for required parameter '([\w.]+)'",
        r"Invalid value .* for parameter '([\w.]+)' supplied",
        r"Run with id=\S* not found",
        r"No Experiment with id=\S+ exists",
        r"Could not find experiment with name",
        r"Invalid experiment ID '.*'",
        r"must be in the '(active|deleted)' state",
        r"already exists",
        r"Changing param values is not allowed. Param with key='.*' was already logged with value='.*' for run ID=",
        r"Duplicate parameter keys",
        r"No tag with name: .* in run with id",
        r"'[\w ]+' exceeds the maximum length of \d+ characters",
        r"Invalid page token",
        r"Logged model with ID '.*' not found",
        r"Invalid model name",
        r"Registered Model with name=.* not found",
        r"Model Version \(name=.*, version=.*\) not found",
        r"Registered model alias \S+ not found",
        r"Invalid Model Version stage",
        r"Invalid model version source",
        r"Model json is missing mandatory fields",
        r"Malformed model info",
        r"Invalid path",
    )
]
"""What MLflow's clients and tests, and people's scripts, look for. Else each server says it in words of its own."""

_EMPTY: tuple[Any, ...] = ("", [], {})
_IN_A_LIST = re.compile(r"\b(?:metrics|params|tags)\[\d+\]\.")


def differences(theirs: Answer, ours: Answer) -> list[str]:
    """Where our answer differs from theirs, one line each; empty where it does not."""
    found = [
        f"{what}: {one!r} | {other!r}"
        for what, one, other in zip(("status", "code"), theirs[:2], ours[:2], strict=False)
        if one != other
    ]
    if found:
        return [*found, f"message: {theirs.message[:200]!r} | {ours.message[:200]!r}"]
    words = looked_for(theirs.message)
    if words and words != looked_for(ours.message):
        return [f"message: {theirs.message[:200]!r} | {ours.message[:200]!r}"]
    return list(_different("", theirs.body, ours.body))


def looked_for(message: str) -> str:
    """The words of a message that are looked for; the place in a list is not one."""
    message = _IN_A_LIST.sub("", message)
    for pattern in WORDS:
        match = pattern.search(message)
        if match:
            return pattern.pattern if not match.groups() else f"{pattern.pattern} {match.groups()}"
    return ""


def _different(where: str, theirs: Any, ours: Any) -> list[str]:
    """An empty part is as good as none, as in protobuf's JSON."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [
            line
            for key in {**theirs, **ours}
            if key not in SILENT and (key in theirs or key not in MORE)
            for line in _different(f"{where}.{key}", theirs.get(key, ""), ours.get(key, ""))
        ]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours, strict=True))
        return [line for index, pair in pairs for line in _different(f"{where}[{index}]", *pair)]
    if theirs == ours or (theirs in _EMPTY and ours in _EMPTY):
        return []
    return [f"{where or 'body'}: {theirs!r:.200} | {ours!r:.200}"]
