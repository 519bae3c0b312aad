"""`projrun server endpoint`: a store for the one program that started it, `projrun.log`."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import click

from projrun.cli.options import tracking_uri_option
from projrun.cli.rendering import own_places, print_text, print_warning
from projrun.settings import Settings
from projrun.tracking.open import open_store
from projrun.tracking.runs import RunStore


@click.command("endpoint", hidden=True)
@tracking_uri_option
def endpoint(tracking_uri: str | None) -> None:
    """Serve a store until standard input ends, and print the address.

    Runs that its client leaves RUNNING, as one that is killed does, are FAILED then.
    """
    from projrun.running.plan import tracking_target
    from projrun.running.record.delivery import end_left_running
    from projrun.server.endpoint import Endpoint

    directories = own_places()
    settings = Settings({"tracking-uri": tracking_uri}, os.environ, directories.config)
    uri = tracking_target(settings, directories, Path.cwd()).uri

    def opened() -> RunStore:
        return open_store(uri, os.environ, warn=print_warning)

    created: list[str] = []
    with closing(opened()) as store:
        with Endpoint.open(opened, on_create=created.append) as endpoint:
            print_text(endpoint.uri)
            sys.stdout.flush()
            sys.stdin.buffer.read()
        end_left_running(store, created, print_warning)
