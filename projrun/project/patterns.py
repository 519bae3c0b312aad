"""Matching a parameter's `pattern`, which a project's author wrote: `(a+)+b` may take years.

A thread cannot interrupt a match, so only what is cheap by a simple rule is matched in this process; the rest has two
seconds in a process of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings

from projrun.errors import RequestError

SECONDS = 2
"""Of a processor's time."""
LONGEST = 1000
"""Characters of a pattern."""

_PATIENCE = 15.0
"""Seconds that such a process has on a machine that is busy."""
_CHEAP = 1_000_000
"""Steps that a match may take in this process."""
_REPEATED_GROUP = r"\)[*+?{]"
_FLAGS = (
    r"\(\?[a-zA-Z]*[a-zA-Z-]"  # `(?x)` hides a repeat behind a comment; `(?i)` reads large classes slowly
)
_MOST_ALTERNATIVES = 8
_SCRIPT = f"""
import json, re, resource, sys, warnings
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
warnings.simplefilter("ignore")
pattern, text = json.load(sys.stdin)
try:
    found = re.compile(pattern)
    print(json.dumps(True if text is None else bool(found.fullmatch(text))))
except (re.error, OverflowError, RecursionError, MemoryError) as error:
    print(json.dumps(str(error) or type(error).__name__))
"""


def pattern_problem(pattern: str) -> str:
    """Why it is not a regular expression; empty for one. Raises RequestError where that takes too long to tell."""
    if len(pattern) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if re.search(_FLAGS, pattern):
        answer = _ask(pattern, None)
        return answer if isinstance(answer, str) else ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # FutureWarning for what Python may read otherwise one day
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def group_names(pattern: str) -> tuple[str, ...]:
    """The named groups of a regular expression. Its comments and classes may hold others, which never match."""
    return tuple(re.findall(r"\(\?P<([^\W\d]\w*)>", pattern))


def matches(pattern: str, text: str) -> bool:
    """Whether all of the text matches. Raises RequestError where that takes too long."""
    if is_cheap(pattern, len(text)):
        return re.fullmatch(pattern, text) is not None
    return _ask(pattern, text) is True


def is_cheap(pattern: str, length: int) -> bool:
    """Whether matching a text of that length takes few steps: no repeated group, and few repeats for the length."""
    if len(pattern) > LONGEST or re.search(_REPEATED_GROUP, pattern) or re.search(_FLAGS, pattern):
        return False
    repeats = len(re.findall(r"[*+?{]", pattern))
    alternatives = pattern.count("|")
    return alternatives <= _MOST_ALTERNATIVES and (length + 1) ** repeats * 2**alternatives <= _CHEAP


def _ask(pattern: str, text: str | None) -> object:
    """What another process says: whether it matches, or why it is not a regular expression."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _SCRIPT],
            input=json.dumps([pattern, text]),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_slow(pattern) from None
    if not done.stdout:
        raise _too_slow(pattern)
    answer: object = json.loads(done.stdout)
    return answer


def _too_slow(pattern: str) -> RequestError:
    return RequestError(
        f"the pattern {pattern!r} takes longer than {SECONDS} s",
        hint="write it without a repeat inside of a repeat, as (a+)+ is",
    )
