"""How many generated examples a property is tried with: few while a person waits, many in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from hypothesis.internal.conjecture import providers

First = TypeVar("First")
Second = TypeVar("Second")

THOROUGH = (os.environ.get("THOROUGH") or os.environ.get("CI")) == "true"
"""In CI, and in `scripts/test --all`; not again with other versions of the dependencies, where THOROUGH=false."""


def examples(thorough: int) -> int:
    """The number of examples of a test for which `thorough` are enough where nobody waits."""
    return thorough if THOROUGH else max(5, thorough // 8)


def pairs(first: Sequence[First], second: Sequence[Second]) -> Iterator[tuple[First, Second]]:
    """Each of the one with each of the other; while a person waits with some of them, in turn."""
    step = 1 if THOROUGH else 4
    for place, one in enumerate(first):
        yield from ((one, other) for other in second[place % step :: step])


def leave_constants_out() -> None:
    """While a person waits, let Hypothesis try no constants of our code.

    To read them takes two seconds, and every strategy of every process then looks through all ten thousand of them
    for those that it allows: more than all its examples take.
    """
    if not THOROUGH and hasattr(providers, "_get_local_constants"):
        providers._get_local_constants = lambda: providers._local_constants
