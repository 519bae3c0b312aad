"""From a tracking URI to its store. On the hot path: keep it light."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from projrun.errors import ProjrunError
from projrun.tracking.runs import Deadline, RunStore
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.uri import TrackingUri


def close_store(store: RunStore, warn: Callable[[str], None]) -> None:
    """Close a store; one that fails then has done its work already: a warning."""
    try:
        store.close()
    except (ProjrunError, OSError) as error:
        warn(f"the tracking store could not be closed: {error}")


def open_store(
    uri: TrackingUri,
    environ: Mapping[str, str],
    *,
    warn: Callable[[str], None],
    deadline: Deadline | None = None,
    served: bool = False,
) -> RunStore:
    """The store that a URI names. Does not contact a server yet.

    The store of a server (`served`) keeps artifacts itself; that of a run needs a place for them that others reach.
    `deadline` bounds what it and its artifacts do over the network; a plug-in's store bounds itself.
    Raises RequestError for a file or a database that is not projrun's and for wrong connection settings, TrackingError
    for one that cannot be used.
    """
    if uri.database is not None:
        return SqlStore.open(uri.database, warn=warn, deadline=deadline)
    if uri.kind == "postgresql":
        from projrun.tracking.sql.postgres.opening import open_postgres_store

        return open_postgres_store(uri, environ, deadline, served=served)
    if uri.kind == "plugin":
        from projrun.tracking.extensions import open_plugin_store

        return open_plugin_store(uri.scheme, uri.text, environ)
    from projrun.tracking.rest.store import RestStore

    return RestStore(uri.text, environ, deadline=deadline)
