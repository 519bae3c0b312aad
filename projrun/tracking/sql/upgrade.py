"""`upgrade_db`: bring a store to the schema of this projrun."""

from __future__ import annotations

from projrun.errors import RequestError
from projrun.tracking.sql.engine import VERSION
from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.uri import TrackingUri
from projrun.tuples import NamedTuple


class Upgrade(NamedTuple):
    """The versions of a store's schema before and after; 0: the database was empty."""

    before: int
    after: int


def upgrade_db(uri: TrackingUri) -> Upgrade:
    """Upgrade a store, all of it or nothing; one that is up to date stays as it is, an empty one becomes a store.

    Raises RequestError for a file that does not exist, a database of another program, one that is newer, or a
    server's address; TrackingError for one that cannot be used.
    """
    if uri.database is not None:
        if not uri.database.exists():
            raise RequestError(f"there is no store {uri.shown} to upgrade: the file does not exist")
        file = SqliteEngine.open(uri.database)
        file.close()
        return Upgrade(file.found_version, VERSION)
    if uri.kind != "postgresql":
        raise RequestError(
            f"{uri.shown} is no database", hint="give postgresql://HOST/DATABASE or sqlite:///FILE"
        )
    from projrun.tracking.sql.postgres.opening import open_engine

    # This says what to install where psycopg is missing, which the schema's module needs, too.
    engine = open_engine(uri)
    from projrun.tracking.sql.postgres.schema import upgrade

    try:
        return Upgrade(upgrade(engine), VERSION)
    finally:
        engine.close()
