"""What this machine keeps for runs: environments, sources, images and logs, with one set of limits for all of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from projrun.cache.contents import Candidate, Item, Limits, choose, contents, measure, total_size
from projrun.cache.entries import ContentCache, Entry
from projrun.cache.keepers import Keeper, Warn, keepers
from projrun.directories import Directories
from projrun.project.parsed import remove_unused
from projrun.sources.inventory import COPY, holdings, remove_holding, sweep_holdings
from projrun.sources.trusted_folders import check_places

ENVIRONMENT, LOG = "environment", "log"
_ONLY_BY_AGE = (COPY, LOG)
"""What may be someone's work: its size alone is no reason."""


class Machine:
    """The folders of one user, and what other programs keep for them."""

    def __init__(self, places: Directories, environ: Mapping[str, str]) -> None:
        """Raises SourceError where the cache is not the user's."""
        check_places(places.cache)
        self._places = places
        self._environments = ContentCache(places.environments)
        self._keepers: Mapping[str, Keeper] = keepers(places.cache, environ)
        self._items: Sequence[Item] = ()

    def choose(self, limits: Limits, warn: Warn) -> list[Candidate]:
        """What no run would use, and what is over the limits. Raises OSError where it cannot be read."""
        environments = (
            item._replace(facts={**item.facts, "kind": ENVIRONMENT}) for item in contents(self._environments)
        )
        kept = (item for keeper in self._keepers.values() for item in keeper.items(warn))
        self._items = [*environments, *holdings(self._places.cache), *kept, *self._logs()]
        by_age = [item for item in self._items if kind_of(item) in _ONLY_BY_AGE]
        others = [item for item in self._items if kind_of(item) not in _ONLY_BY_AGE]
        now = time.time()
        return choose(others, limits, now) + choose(by_age, limits._replace(total_bytes=None), now)

    def remove(self, candidate: Candidate) -> bool:
        """False where something uses it now, or it cannot be removed."""
        kind, item = kind_of(candidate.item), candidate.item
        if kind == ENVIRONMENT:
            return self._environments.remove(item.entry)
        if kind == LOG:
            with suppress(OSError):
                item.entry.path.unlink()
            return not item.entry.path.exists()
        if kind in self._keepers:
            return self._keepers[kind].remove(item)
        return remove_holding(self._places.cache, item)

    def sweep(self, limits: Limits) -> None:
        """Remove what interrupted removals left, and small files that were not used for as long."""
        self._environments.sweep()
        sweep_holdings(self._places.cache)
        unused = limits.unused_seconds
        remove_unused(self._places.cache, 0.0 if unused is None else time.time() - unused)

    def freed(self, removed: Sequence[Candidate]) -> int:
        """Bytes, with files that several hold counted once."""
        paths = {candidate.item.entry.path for candidate in removed}
        rest = [item for item in self._items if item.entry.path not in paths]
        return total_size(self._items) - total_size(rest)

    def _logs(self) -> list[Item]:
        """Outputs that no tracking store could take."""
        return [
            Item(
                Entry(file.stem, file, "ready", changed), measure(file), {"kind": LOG}, changed, in_use=False
            )
            for file in sorted(self._places.logs.glob("*.log"))
            if (changed := _changed(file))
        ]


def kind_of(item: Item) -> str:
    """`environment`, `repository`, `checkout`, `copy`, `download`, `image` or `log`."""
    return str(item.facts["kind"])


def _changed(file: Path) -> float:
    try:
        return file.lstat().st_mtime
    except OSError:  # removed a moment ago
        return 0.0
