"""Poetry's version constraints, in the words of PEP 440 and PEP 508."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPERATOR = r"(\^|~(?!=)|~=|===?|!=|>=|<=|>|<|=)?"
_SUFFIX = r"([-._]?(?:a|b|c|rc|alpha|beta|pre|preview|post|dev)[-._]?\d*|\+\w[\w.]*)?"
_PART = rf"{_OPERATOR}\s*v?(\d+(?:\.\d+)*)(\.\*)?{_SUFFIX}"
_ANY_PATCH = r"\d+\.\d+\.\*"
_MINOR = r"\d+\.\d+(\.\*)?"
"""As for poetry-core, `3.8` of a dependency is any 3.8, but `!=3.8` is `!=3.8.0`."""
_LONGEST = 500


class ConstraintError(ValueError):
    """A constraint that has no counterpart; the text says why."""


def specifiers(constraint: str) -> str:
    """`^1.2` as `>=1.2,<2`; empty where any version will do. ConstraintError for what PEP 440 cannot say."""
    if "|" in constraint:
        raise ConstraintError(f"{constraint!r} is a choice of versions, which PEP 440 cannot express")
    return ",".join(f"{operator}{version}" for operator, version in _clauses(constraint))


def python_request(constraint: str) -> str:
    """A constraint on Python, as `PythonRequest` takes it: `>=3.8,<4.0|2.7.*`; empty for any."""
    alternatives = [specifiers(part) for part in re.split(r"\|\|?", constraint)]
    return "" if "" in alternatives else "|".join(alternatives)


def python_marker(constraint: str) -> str:
    """A constraint on Python as a marker; empty for any."""
    alternatives = []
    for part in re.split(r"\|\|?", constraint):
        clauses = [
            f'python_version {operator} "{version.removesuffix(".*")}"'
            if re.fullmatch(_MINOR if operator == "==" else _ANY_PATCH, version)
            else f'python_full_version {operator} "{version}"'
            for operator, version in _clauses(part)
        ]
        alternatives.append(" and ".join(clauses))
    return "" if "" in alternatives else " or ".join(f"({one})" for one in alternatives)


def platform_marker(platforms: str) -> str:
    """`linux || darwin` as a marker; ConstraintError for a word that is no platform."""
    clauses = []
    for text in re.split(r"\|\|?", platforms):
        match = re.fullmatch(r"\s*(==|!=)?\s*([\w-]+)\s*", text)
        if match is None:
            raise ConstraintError(f"{platforms!r} is not a platform")
        clauses.append(f'sys_platform {match[1] or "=="} "{match[2]}"')
    return " or ".join(clauses)


def _clauses(constraint: str) -> Iterator[tuple[str, str]]:
    text = constraint.strip()
    if len(text) > _LONGEST:
        raise ConstraintError("the constraint is too long")
    while text and text != "*":
        match = re.match(rf"{_PART}\s*(?:,\s*|\s+|$|(?=[\^~<>=!]))", text)
        if match is None:
            raise ConstraintError(f"{constraint!r} is not a version constraint")
        operator, number, wildcard, suffix = (match[1] or "==", match[2], match[3] or "", match[4] or "")
        yield from _translated("==" if operator == "=" else operator, number, wildcard, suffix)
        text = text[match.end() :]


def _translated(operator: str, number: str, wildcard: str, suffix: str) -> Iterator[tuple[str, str]]:
    if operator == "^":
        yield ">=", number + suffix
        yield "<", _caret(number)
    elif operator == "~":
        yield ">=", number + suffix
        yield "<", _raised(number, min(1, number.count(".")))
    else:
        yield operator, number + (wildcard or suffix)


def _caret(number: str) -> str:
    """Up to the next change of the first number that is not 0; of all that are given if they are all 0."""
    parts = [int(part) for part in number.split(".")]
    first = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
    return _raised(number, first)


def _raised(number: str, place: int) -> str:
    parts = [int(part) for part in number.split(".")][: place + 1]
    parts[-1] += 1
    return ".".join(map(str, parts + [0] * (2 - len(parts))))
