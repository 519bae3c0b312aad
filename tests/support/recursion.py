"""A small limit of recursion: what would recurse too deep is found with folders that are not so deep."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEEPER = 300
"""A depth that is beyond the limit."""


@contextmanager
def little_recursion() -> Iterator[None]:
    """Inside, half of `DEEPER` calls within each other are too many."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + DEEPER // 2)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)
