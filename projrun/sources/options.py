"""How to fetch, as opposed to what: the same for every kind of source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.reporting import Activity, unseen
from projrun.sources.git.work_tree import WorkTreeInquiry
from projrun.sources.policy import TrustPolicy
from projrun.tuples import NamedTuple


class FetchOptions(NamedTuple):
    """Where fetched sources are kept, which servers may be contacted, and what is allowed."""

    cache: Path
    """The cache's folder; sources live below it in folders of their own (`projrun.sources.places`)."""
    environ: Mapping[str, str]
    caller_directory: Path
    policy: TrustPolicy = TrustPolicy()
    offline: bool = False
    """Use the cache; contact no server."""
    own_copy: bool = True
    """Make a copy that belongs to this run alone; else the cached checkout itself is handed out, to be read only."""
    activity: Activity = unseen
    """Says what takes long (`Reporter.activity`)."""
    inquiry: WorkTreeInquiry | None = None
    """Where git was asked about a local folder before it is fetched (`projrun.sources.local.asked_ahead`)."""
