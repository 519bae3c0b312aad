"""`projrun ui`: a store in the browser."""

from __future__ import annotations

import os
import sys
from threading import Thread
from typing import Any

import click

from projrun.cli.options import click_option
from projrun.cli.server.command import serve
from projrun.cli.server.opening import server_settings
from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.settings.server import BACKEND_STORE, HOST, NO_AUTH, PORT


@click.command()
@click_option(BACKEND_STORE, "run")
@click.option("--tracking-uri", metavar="URI", help="Another server whose runs to show, instead of a store.")
@click_option(HOST, "run")
@click_option(PORT, "run")
@click_option(NO_AUTH, "run")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def ui(no_browser: bool, tracking_uri: str | None, **values: Any) -> None:
    """Show a store in the browser: the embedded one unless another is named. Ctrl-C ends it.

    As `projrun server`, but where port 5000 is in use it takes a free one, and on a terminal it opens the browser.

    \b
    projrun ui
    projrun ui --tracking-uri https://mlflow.example.org
    """
    if tracking_uri is not None:
        if values["backend_store_uri"] is not None:
            raise RequestError(
                "--tracking-uri and --backend-store-uri name two stores", hint="give one of them"
            )
        values["backend_store_uri"] = tracking_uri
    places = Directories.locate(os.environ)
    shown = not no_browser and sys.stdout is not None and sys.stdout.isatty()
    serve(
        server_settings(values, places),
        places,
        any_port=True,
        ready=_browse if shown else lambda address: None,
    )


def _browse(address: str) -> None:
    from webbrowser import open_new_tab

    # Some browsers start only once the page is answered, and a text browser takes the terminal until it ends.
    Thread(target=open_new_tab, args=(address,), daemon=True).start()
