"""Whether a string is a valid value of a parameter; the string is never rewritten."""

from __future__ import annotations

import re

from projrun.project.model import Parameter
from projrun.project.shown import listed
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.project.model import ParameterType

TYPE_WORDS: dict[str, ParameterType] = {
    "string": "string",
    "str": "string",
    "float": "float",
    "number": "number",
    "int": "int",
    "integer": "int",
    "bool": "bool",
    "boolean": "bool",
    "path": "path",
    "uri": "uri",
}
"""The type words that mean something; any other runs as `string`, as in MLflow."""

NUMERIC: frozenset[ParameterType] = frozenset({"float", "int", "number"})
TRUE_WORDS = frozenset({"true", "t", "yes", "y", "on", "1"})
FALSE_WORDS = frozenset({"false", "f", "no", "n", "off", "0"})
"""In any case: the words of `distutils.util.strtobool`, which most training scripts' own parsers take."""

_ARTICLES = {
    "float": "a float",
    "number": "a number",
    "int": "an integer",
    "bool": "a boolean",
    "uri": "a URI",
}
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*):."


def value_problem(parameter: Parameter, text: str) -> str:
    """What is wrong with a value, phrased to follow it (`is not a float`); "" for a valid one.

    Whether a `path` exists is asked elsewhere: it depends on the folder that it is relative to.
    """
    return type_problem(parameter.type, text) or constraint_problem(parameter, text)


def type_problem(parameter_type: ParameterType, text: str) -> str:
    """As Python's `float()` and `int()` read them, so NaN and inf are floats and 1.5 is not an integer."""
    if _fits(parameter_type, text):
        return ""
    remedy = " (true or false)" if parameter_type == "bool" else ""
    remedy = " (it needs a scheme, as in s3://bucket/key)" if parameter_type == "uri" else remedy
    return f"is not {_ARTICLES[parameter_type]}{remedy}"


def constraint_problem(parameter: Parameter, text: str) -> str:
    """`choices`, `min`, `max` (numeric types only) and `pattern` (of the whole value)."""
    if parameter.choices and not _is_choice(parameter, text):
        return f"is not one of {listed(parameter.choices)}"
    if parameter.type in NUMERIC:
        value = float(text)
        # Written so that NaN, which compares with nothing, is outside any limit.
        if parameter.minimum is not None and not value >= parameter.minimum:
            return f"is less than the minimum {parameter.minimum:g}"
        if parameter.maximum is not None and not value <= parameter.maximum:
            return f"is more than the maximum {parameter.maximum:g}"
    if parameter.pattern is None:
        return ""
    from projrun.project.patterns import matches  # few have one

    return "" if matches(parameter.pattern, text) else f"does not match the pattern {parameter.pattern!r}"


def scheme_of(text: str) -> str:
    """The lower-cased scheme of a URI, "" where there is none (one letter is none)."""
    match = re.match(_SCHEME, text, re.DOTALL)
    return match.group(1).lower() if match and len(match.group(1)) > 1 else ""


def _fits(parameter_type: ParameterType, text: str) -> bool:
    if parameter_type == "bool":
        return text.lower() in TRUE_WORDS | FALSE_WORDS
    if parameter_type == "uri":
        return scheme_of(text) != ""
    if parameter_type not in NUMERIC:
        return True
    try:
        int(text) if parameter_type == "int" else float(text)
    except ValueError:
        return False
    return True


def _is_choice(parameter: Parameter, text: str) -> bool:
    if text in parameter.choices:
        return True
    if parameter.type not in NUMERIC:
        return False
    return any(
        not type_problem("float", choice) and float(choice) == float(text) for choice in parameter.choices
    )
