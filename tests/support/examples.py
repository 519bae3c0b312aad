"""How many generated examples a property is tried with: few while a person waits, many in CI."""

from __future__ import annotations

import os

THOROUGH = "true" in (os.environ.get("CI"), os.environ.get("THOROUGH"))
"""In CI, and in `scripts/test --all`."""


def examples(thorough: int) -> int:
    """The number of examples of a test for which `thorough` are enough where nobody waits."""
    return thorough if THOROUGH else max(5, thorough // 6)
