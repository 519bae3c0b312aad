"""`projrun server upgrade-db`: brings an older store to the schema of this projrun."""

from __future__ import annotations

import os
from pathlib import Path

import click

from projrun.cli.options import click_option
from projrun.cli.rendering import print_text
from projrun.directories import Directories
from projrun.settings import Settings
from projrun.settings.server import BACKEND_STORE, SERVER_OPTIONS
from projrun.tracking.sql.upgrade import upgrade_db as upgrade
from projrun.tracking.uri import parse_tracking_uri


@click.command("upgrade-db")
@click.argument("uri", metavar="[URI]", required=False)
@click_option(BACKEND_STORE, "run")
def upgrade_db(uri: str | None, backend_store_uri: str | None) -> None:
    """Bring a store to the schema of this projrun. All of it is upgraded, or nothing.

    Make a backup first, and stop the servers of the store. A PostgreSQL store is upgraded by this command alone,
    a SQLite store also by whatever opens it.

    \b
    projrun server upgrade-db postgresql://db.example.org/projrun
    """
    places = Directories.locate(os.environ)
    options = {"backend-store-uri": uri or backend_store_uri}
    chosen = Settings(options, os.environ, places.config, SERVER_OPTIONS).get("backend-store-uri")
    text = chosen.value if chosen else f"sqlite:///{places.database}"
    target = parse_tracking_uri(text, Path.cwd(), served=True)
    before, after = upgrade(target)
    if before == after:
        print_text(f"{target.shown} has the newest schema ({after})")
    else:
        print_text(f"upgraded {target.shown} from schema {before} to {after}")
