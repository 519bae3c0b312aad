"""Keys that mean nothing: MLflow ignores them, so most run with a warning, "did you mean" included.

One that misspells a key which decides what runs is an error where the right one is absent: `paramaters:` would run the
command without its parameters, `dependencis:` in an empty environment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from projrun.project.reading.nodes import Entry
from projrun.project.reading.report import Report
from projrun.suggestions import near_miss

PYTHON_ENV_KEYS = ("python", "build_dependencies", "dependencies")
CONDA_KEYS = ("name", "channels", "dependencies", "variables", "prefix")
ENVIRONMENT_KEYS: Mapping[str, tuple[str, ...]] = {"python_env": PYTHON_ENV_KEYS, "conda_env": CONDA_KEYS}
"""The keys of environment files, by their kind."""
NEEDED_OF_ENVIRONMENTS = ("dependencies", "python")

_NO_SPACE = r"([A-Za-z_]+):(\S.*)"


class KeyProblem(NamedTuple):
    """What is wrong with a key."""

    code: str
    name: str
    message: str
    hint: str
    is_error: bool = False


def key_problems(
    found: Collection[str],
    known: Collection[str],
    what: str,
    *,
    needed: Collection[str] = (),
    misplaced: Mapping[str, str] | None = None,
) -> Iterator[KeyProblem]:
    """For each key that is not known; `misplaced` says where keys belong that are known elsewhere."""
    for name in found:
        if name in known or name.startswith(("x-", ".")):  # by custom, places to keep anchors in
            continue
        joined = re.fullmatch(_NO_SPACE, name)
        if joined and joined[1] in known:
            hint = f"write `{joined[1]}: {joined[2]}`, with a space"
            yield KeyProblem(
                "no-space", name, f"{what} has an unknown key {name!r}", hint, joined[1] in needed
            )
        elif misplaced and name in misplaced:
            yield KeyProblem(
                "misplaced-key", name, f"{what} has a key {name!r}, which has no effect", misplaced[name]
            )
        else:
            meant = near_miss(name, known)
            message = f"{what} has an unknown key {name!r}"
            message += f"; did you mean {meant!r}?" if meant else ""
            is_error = meant in needed and meant not in found
            hint = f"write `{meant}:`" if is_error else f"known keys: {', '.join(known)}"
            yield KeyProblem("misspelt-key" if is_error else "unknown-key", name, message, hint, is_error)


def check_keys(
    found: Mapping[str, Entry],
    known: Collection[str],
    what: str,
    report: Report,
    *,
    needed: Collection[str] = (),
    misplaced: Mapping[str, str] | None = None,
) -> None:
    """Report the keys of a mapping that mean nothing."""
    for problem in key_problems(found, known, what, needed=needed, misplaced=misplaced):
        tell = report.error if problem.is_error else report.warning
        tell(problem.code, found[problem.name].key, problem.message, problem.hint)


def without_space(text: str, known: Collection[str]) -> str:
    """How to write `type:int`, which YAML reads as one word; empty for anything else."""
    joined = re.match(_NO_SPACE, text)
    if joined is None or joined[1] not in known:
        return ""
    return f"write `{joined[1]}: {joined[2].split()[0]}`, with a space"
