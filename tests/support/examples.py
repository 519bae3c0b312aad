"""How many generated examples a property is tried with: few while a person waits, many in CI."""

from __future__ import annotations

import os

THOROUGH = (os.environ.get("THOROUGH") or os.environ.get("CI")) == "true"
"""In CI, and in `scripts/test --all`; not again with other versions of the dependencies, where THOROUGH=false."""


def examples(thorough: int) -> int:
    """The number of examples of a test for which `thorough` are enough where nobody waits."""
    return thorough if THOROUGH else max(5, thorough // 6)
