"""What happens to a run's own copy of the checkout when the run ends. On the hot path: a value and two questions."""

from __future__ import annotations

from pathlib import Path

from projrun.sources.checkout import Checkout
from projrun.sources.fetch import discard
from projrun.tuples import NamedTuple


class KeptCopy(NamedTuple):
    """A copy that stays after the run."""

    folder: Path
    reason: str


class RunCopy:
    """The copy, until the run's end decides: nothing that the run made in it is lost."""

    def __init__(self, checkout: Checkout, *, keep: bool) -> None:
        """`keep` it even where nothing would be lost (`--keep-workdir`)."""
        self.started = False
        """Whether the command was started: before that there is nothing to lose."""
        self._checkout = checkout
        self._keep = keep
        self._settled = checkout.owned is None

    def settle(self, status: str, run_id: str) -> KeptCopy | None:
        """Remove the copy, or keep it and say why. None if it was already settled, or never made."""
        copy = self._checkout.owned
        if self._settled or copy is None:
            return None
        self._settled = True
        from projrun.cache.locked_folders import hold, remove_held
        from projrun.sources.copies.run_copies import keep_copy

        reason = self._reason(copy, status)
        if reason is None:
            if remove_held(copy):
                return None
            hold(copy)
            reason = "not all of it can be removed"
        keep_copy(copy, reason, run_id)
        return KeptCopy(copy, reason)

    def close(self) -> None:
        """If the run was never settled: remove what no command saw, leave the rest."""
        if not self._settled and not self.started:
            discard(self._checkout)
        self._settled = True

    def _reason(self, copy: Path, status: str) -> str | None:
        if self._keep:
            return "keep-workdir is set"
        if not self.started:
            return None
        if status != "FINISHED":
            return "the run was killed" if status == "KILLED" else "the run failed"
        return self._left(copy)

    def _left(self, copy: Path) -> str | None:
        from projrun.sources.copies.leftovers import left_behind, shown

        if self._checkout.cached is None:
            return None
        names = left_behind(copy, self._checkout.cached, self._checkout.patched)
        return f"the run left {shown(names)} in it" if names else None
