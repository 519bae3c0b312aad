"""`projrun version`."""

from __future__ import annotations

import platform

import click

from projrun.cli.rendering import print_json, print_text
from projrun.version import __version__

_JSON = 1
"""The version of the keys of `--json`: docs/json.md."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with Python and the platform.")
def version(as_json: bool) -> None:
    """Print the version."""
    if not as_json:
        print_text(f"projrun {__version__}")
        return
    print_json(
        {
            "projrun": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "json": _JSON,
        }
    )
