"""Patterns over the lines of a command's output, in a process of its own: `(a+)+b` may take years.

A thread cannot interrupt a match. Each block of lines has a process, and in it each pattern two seconds of a
processor's time; one that needs more is used no longer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from projrun.project.patterns import SECONDS

LONGEST_LINE = 4000
"""Characters of a line that patterns see."""

_PATIENCE = 600.0
"""Seconds of such a process on a machine that is busy: its patterns are limited by the processor's time alone."""
_LONGEST_VALUE = 100
_COLORS = r"\x1b\[[0-9;?]*[A-Za-z]"
_STAMP = r"(?m)^\d{4}-\d\d-\d\dT[\d:.]+Z "
_SCRIPT = f"""
import json, re, resource, sys, warnings
warnings.simplefilter("ignore")
patterns, lines = json.load(sys.stdin)
most = resource.getrlimit(resource.RLIMIT_CPU)[1]
for pattern in patterns:
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    limit = int(used) + 1 + {SECONDS}
    resource.setrlimit(resource.RLIMIT_CPU, (limit if most < 0 else min(limit, most), most))
    find = re.compile(pattern).finditer
    found = [
        [number, {{name: text[:{_LONGEST_VALUE}] for name, text in match.groupdict().items() if text}}]
        for number, line in enumerate(lines)
        for match in find(line)
    ]
    print(json.dumps(found), flush=True)
"""

Found = Mapping[str, str]
"""The texts of a match's named groups."""


class Patterns:
    """The patterns that are in use."""

    def __init__(self, patterns: Sequence[str], *, timestamps: bool = False) -> None:
        """`timestamps`: each line begins with the time at which it came."""
        self._patterns = list(patterns)
        self._timestamps = timestamps
        self.problems: list[str] = []

    def matches(self, block: bytes) -> Iterator[Found]:
        """What the patterns find in the lines of a block: line by line, the patterns in their order."""
        if not self._patterns:
            return
        lines = self._lines(block)
        found: list[tuple[int, int, Found]] = []
        for place, answer in enumerate(self._answers(lines)):
            found += ((number, place, groups) for number, groups in json.loads(answer))
        found.sort(key=lambda one: one[:2])
        yield from (groups for _, _, groups in found if groups)

    def _lines(self, block: bytes) -> list[str]:
        text = block.decode("utf-8", "replace")
        if self._timestamps:
            text = re.sub(_STAMP, "", text)
        text = re.sub(_COLORS, "", text)
        return [line[:LONGEST_LINE] for line in re.split(r"[\r\n]+", text) if line]

    def _answers(self, lines: list[str]) -> list[str]:
        answers: list[str] = []
        while lines and len(answers) < len(self._patterns):
            left = self._patterns[len(answers) :]
            try:
                done = subprocess.run(
                    [sys.executable, "-I", "-S", "-c", _SCRIPT],
                    input=json.dumps([left, lines]),
                    capture_output=True,
                    text=True,
                    timeout=_PATIENCE,
                    check=False,
                    start_new_session=True,  # Ctrl-C at the terminal is not for it
                )
                whole = done.stdout.rpartition("\n")[0]
            except subprocess.TimeoutExpired:
                whole = ""
            answers += whole.splitlines()
            if len(answers) < len(self._patterns):
                slow = self._patterns.pop(len(answers))
                self.problems.append(
                    f"the pattern {slow!r} takes longer than {SECONDS} s, and is used no longer; "
                    "write it without a repeat inside of a repeat, as (a+)+ is"
                )
        return answers
