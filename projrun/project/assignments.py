"""Parameter values from the command line: `-P NAME=VALUE`."""

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import RequestError


def parse_assignments(items: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` words by name, all mistakes in one RequestError that shows no value."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for item in items:
        name, equals, value = item.partition("=")
        if not equals:
            problems.append(f"-P {item!r} has no value: write -P NAME=VALUE")
        elif not name.strip():
            problems.append("a -P has no name before its `=`: write -P NAME=VALUE")
        elif name in values:
            problems.append(f"-P {name!r} is given twice: keep one of them")
        else:
            values[name] = value
    if problems:
        message = problems[0] if len(problems) == 1 else f"{len(problems)} of the -P options are wrong"
        raise RequestError(message, detail="" if len(problems) == 1 else "\n".join(dict.fromkeys(problems)))
    return values
