"""The tracking store: whether it opens; of a server, whether it answers, lets this user in, and what it is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.cli.doctor.findings import Finding, failed
from projrun.cli.rendering import print_warning
from projrun.directories import Directories
from projrun.errors import ProjrunError, TrackingError
from projrun.running.plan import tracking_target
from projrun.settings import Settings
from projrun.tracking.open import open_store
from projrun.tracking.rest.transport import Transport
from projrun.tracking.runs import Deadline
from projrun.tracking.uri import TrackingUri

_PATIENCE = 5.0
"""Seconds for all that a server is asked."""
_OWN = "api/projrun/1/session"
"""A route that only projrun's server has."""


def look_at_store(settings: Settings, places: Directories, environ: Mapping[str, str]) -> Iterator[Finding]:
    """That of the settings."""
    try:
        target = tracking_target(settings, places, Path.cwd())
    except ProjrunError as error:
        yield failed("store", "tracking", error)
        return
    if target.uri.database is not None and not target.uri.database.exists():
        text = f"{target.uri.shown}: made by the first run ({target.origin})"
        yield Finding("store", "tracking", "ok", text)
        return
    yield _look_at(target.uri, target.origin, environ)


def _look_at(uri: TrackingUri, origin: str, environ: Mapping[str, str]) -> Finding:
    deadline = Deadline()
    deadline.begin(_PATIENCE)
    begin = time.monotonic()
    try:
        store = open_store(uri, environ, warn=print_warning, deadline=deadline)
        try:
            store.search_experiments(max_results=1)
        finally:
            store.close()
        kind = f", {_kind(uri, environ, deadline)}" if uri.kind == "rest" else ""
    except (ProjrunError, OSError) as error:
        return failed("store", "tracking", error)._replace(remedy=_remedy(error, uri, origin))
    text = f"{uri.shown}{kind}, answered in {(time.monotonic() - begin) * 1000:.0f} ms ({origin})"
    return Finding("store", "tracking", "ok", text)


def _remedy(error: ProjrunError | OSError, uri: TrackingUri, origin: str) -> str:
    if isinstance(error, ProjrunError) and error.hint:
        return error.hint
    if uri.kind == "rest":
        return f"check the address ({origin}) and the network; `--offline-tracking` records without it"
    return "see what the file is, or name another store with --tracking-uri"


def _kind(uri: TrackingUri, environ: Mapping[str, str], deadline: Deadline) -> str:
    """`MLflow 3.17.2`, or `projrun's server (MLflow 3.17.2)`."""
    transport = Transport.tracking(uri.text, environ, deadline=deadline)
    try:
        said = transport.text("version").strip()
        version = f"MLflow {said}" if re.fullmatch(r"\d[\w.+-]{0,30}", said) else "of unknown version"
        try:
            transport.get(_OWN, (), lambda answer: answer)
        except TrackingError:
            return version
        return f"projrun's server ({version})"
    except TrackingError:  # a server without /version still takes runs
        return "a server of unknown version"
    finally:
        transport.close()
