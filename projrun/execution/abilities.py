"""What an execution backend may be able to do beyond its contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from projrun.execution.protocol import Limits


class HoldsLimits(Protocol):
    """A backend whose machine decides which limits it holds, and how."""

    def how_held(self, limits: Limits) -> Mapping[str, str]:
        """For limits, by the fields' names, how they are held: half a sentence for the plan.

        RequestError for a limit that cannot be held.
        """
        ...
