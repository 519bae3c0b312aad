"""`projrun doctor`: looks at everything and prints it; exit code 1 where something is broken."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence

import click

from projrun.cli.doctor.findings import Finding, failed
from projrun.cli.doctor.places import look_at_places
from projrun.cli.doctor.settings import Shown, shown_settings
from projrun.cli.doctor.stores import look_at_store
from projrun.cli.doctor.tools import look_at_tools
from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.quantities import count_text
from projrun.cli.rendering import one_line, print_json, print_text
from projrun.directories import Directories
from projrun.errors import ProjrunError
from projrun.settings import Settings
from projrun.version import __version__

_FORMAT = 1
_MARKS = {"ok": "ok", "warning": "warning", "broken": "BROKEN"}


@click.command()
@tracking_uri_option
@json_option
def doctor(tracking_uri: str | None, as_json: bool) -> int:
    """Look at tools, folders, the store and settings; say what to do.

    Changes nothing, and contacts only the tracking server. A warning is about what some projects need. Exits with 1
    where something is broken.

    \b
    projrun doctor
    projrun doctor --json | jq '.findings[] | select(.state != "ok")'
    """
    places = Directories.locate(os.environ)
    settings, mistaken = _settings(tracking_uri, places)
    findings = [*mistaken, *_look(settings, places)]
    shown = shown_settings(settings, os.environ)
    if as_json:
        _print_document(findings, shown)
    else:
        _print(findings, shown)
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def _look(settings: Settings, places: Directories) -> Iterator[Finding]:
    system = (
        f"projrun {__version__}, Python {platform.python_version()} ({sys.executable}), {platform.platform()}"
    )
    yield Finding("projrun", "version", "ok", system)
    yield from look_at_tools(os.environ)
    yield from look_at_places(places)
    yield from look_at_store(settings, places, os.environ)


def _settings(tracking_uri: str | None, places: Directories) -> tuple[Settings, list[Finding]]:
    """What is set; without the file of settings where that is wrong."""
    options: Mapping[str, str | None] = {"tracking-uri": tracking_uri}
    try:
        return Settings(options, os.environ, places.config), []
    except ProjrunError as error:
        return Settings(options, os.environ, places.config / "none"), [failed("settings", "file", error)]


def _print(findings: Sequence[Finding], shown: Sequence[Shown]) -> None:
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            print_text(area)
        print_text(one_line(f"  {_MARKS[finding.state]:<8} {finding.name:<11} {finding.text}"))
        if finding.remedy and finding.state != "ok":
            print_text(one_line(f"{'':<22} -> {finding.remedy}"))
    if shown:
        print_text("settings")
    for setting in shown:
        print_text(one_line(f"  {setting.name} = {setting.value}  ({setting.origin})"))
    states = [finding.state for finding in findings]
    print_text(f"{states.count('broken')} broken, {count_text(states.count('warning'), 'warning')}", err=True)


def _print_document(findings: Sequence[Finding], shown: Sequence[Shown]) -> None:
    broken = any(finding.state == "broken" for finding in findings)
    print_json(
        {
            "format": _FORMAT,
            "projrun": __version__,
            "broken": broken,
            "findings": [finding._asdict() for finding in findings],
            "settings": [setting._asdict() for setting in shown],
        }
    )
