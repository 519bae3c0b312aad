"""From a `postgresql://` tracking URI to its store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.tracking.runs import Deadline
from projrun.tracking.sql.roots import (
    ArtifactRoots,
    checked_roots,
    place_artifacts,
    settle_default_experiment,
)
from projrun.tracking.uri import TrackingUri
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.sql.postgres.engine import PostgresEngine
    from projrun.tracking.sql.postgres.store import PostgresStore

SERVED_FOLDER = "mlartifacts"
"""In the folder where a server starts: what it serves where no destination is named, as MLflow's server has it."""
_VARIABLES = ("PROJRUN_DEFAULT_ARTIFACT_ROOT", "MLFLOW_DEFAULT_ARTIFACT_ROOT")


def open_postgres_store(
    uri: TrackingUri, environ: Mapping[str, str], deadline: Deadline | None, *, served: bool = False
) -> PostgresStore:
    """The store of a database, which it becomes if it is empty; a server's (`served`) keeps artifacts itself.

    Where no variable says where the artifacts are, it is good for reading alone. Raises RequestError for a database
    of another program and for one with another schema; TrackingError where it cannot be used.
    """
    if served:
        return open_database(uri, ArtifactRoots(), deadline)
    root = next(filter(None, map(environ.get, _VARIABLES)), "")
    store = open_database(uri, ArtifactRoots(root, root), deadline)
    if not root:
        store.unplaced = RequestError(
            f"where are the artifacts of {uri.shown}? A database holds none",
            hint=f"set {_VARIABLES[0]} to a folder or a URI that all its users reach (s3://BUCKET/PATH), "
            "or record to the database's server",
        )
    return store


def open_database(uri: TrackingUri, roots: ArtifactRoots, deadline: Deadline | None = None) -> PostgresStore:
    """As `open_postgres_store`, for who knows where the artifacts are."""
    checked = checked_roots(roots)
    engine = open_engine(uri)
    from projrun.tracking.sql.postgres.schema import prepare
    from projrun.tracking.sql.postgres.store import PostgresStore

    try:
        created = prepare(engine)
        store = PostgresStore(engine, Path(SERVED_FOLDER).absolute(), deadline)
        place_artifacts(store, checked)
        if created and checked.default:
            settle_default_experiment(store)
    except BaseException:
        engine.close()
        raise
    return store


def open_engine(uri: TrackingUri) -> PostgresEngine:
    """The engine of a database, which may be anything. Raises RequestError where psycopg is not installed."""
    try:
        from projrun.tracking.sql.postgres.engine import PostgresEngine
    except ImportError as error:
        raise RequestError(
            f"a store in PostgreSQL needs psycopg: {error}", hint="pip install 'projrun[postgres]'"
        ) from error
    return PostgresEngine(uri.text)
