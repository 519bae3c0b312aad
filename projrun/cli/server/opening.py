"""The stores that a server serves, from its settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from projrun.cli.rendering import own_places, print_warning
from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.server.stores import OpenStore
from projrun.settings import Settings
from projrun.settings.server import SERVER_OPTIONS
from projrun.tracking.open import open_store
from projrun.tracking.parts import find_part
from projrun.tracking.runs import LocalStore, RunStore
from projrun.tracking.sql.roots import (
    ArtifactRoots,
    checked_roots,
    place_artifacts,
    settle_default_experiment,
)
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.uri import TrackingUri, parse_tracking_uri
from projrun.tuples import NamedTuple

Warn = Callable[[str], None]


class Served(NamedTuple):
    """What is served: for people, and how each thread opens it."""

    shown: str
    open: OpenStore
    databases: tuple[Path, ...] = ()
    """Those that are files."""


def served_store(settings: Settings, places: Directories, workers: int = 1) -> Served:
    """The stores that the settings choose, opened once to see that they can be. Raises as `open_store` does.

    Also RequestError for several processes on a store that has one writer.
    """
    uri = backend_uri(settings, places)
    open_backend = _opener(uri, _roots(settings))
    registry = settings.get("registry-store-uri")
    registry_uri = parse_tracking_uri(registry.value, Path.cwd(), served=True) if registry else uri

    def opened(warn: Warn = lambda text: None) -> RunStore:
        store = open_backend(warn)
        if registry_uri == uri:
            return store
        from projrun.server.program.registry import with_registry

        try:
            registry_store = open_store(registry_uri, os.environ, warn=warn, served=True)
        except BaseException:
            store.close()
            raise
        return with_registry(store, registry_store)

    _look(opened(print_warning), workers)
    shown = uri.shown if registry_uri == uri else f"{uri.shown}, models in {registry_uri.shown}"
    databases = tuple(each.database for each in {uri, registry_uri} if each.database is not None)
    return Served(shown, opened, databases)


_OF_THE_SERVER = "name the store that it serves with --backend-store-uri, where that is within reach"


@contextmanager
def own_store(values: Mapping[str, Any], remedy: str = _OF_THE_SERVER) -> Iterator[RunStore]:
    """The store of `--backend-store-uri`, else of the tracking URI, for what only a store's own programs do.

    Raises RequestError, with the remedy, for another server.
    """
    places = own_places()
    settings = server_settings(values, places)
    uri = own_uri(values, places)
    if uri.kind == "rest":
        raise RequestError(
            f"{uri.shown} is a server, which removes nothing for good",
            hint=remedy,
        )
    destination = settings.text("artifacts-destination", "").value
    # Without one, a database's store asks for it when it is needed.
    environ = {**os.environ, **({"PROJRUN_DEFAULT_ARTIFACT_ROOT": destination} if destination else {})}
    store = open_store(uri, environ, warn=print_warning)
    try:
        if isinstance(store, SqlStore):
            place_artifacts(store, checked_roots(ArtifactRoots(destination)))
        yield store
    finally:
        store.close()


def own_uri(values: Mapping[str, Any], places: Directories) -> TrackingUri:
    """Of `own_store`."""
    settings = server_settings(values, places)
    tracking = Settings({"tracking-uri": values["tracking_uri"]}, os.environ, places.config).get(
        "tracking-uri"
    )
    if tracking and not settings.get("backend-store-uri"):
        return parse_tracking_uri(tracking.value, Path.cwd())
    return backend_uri(settings, places)


def server_settings(values: Mapping[str, Any], places: Directories) -> Settings:
    """What options, by keyword, and variables say."""
    words: dict[Any, str] = {True: "1", False: "0"}
    given = {
        option.name: words.get(value, value)
        for option in SERVER_OPTIONS.values()
        if not ((value := values.get(option.keyword)) is False and option.kind == "flag")
    }
    return Settings(given, os.environ, places.config, SERVER_OPTIONS)


def backend_uri(settings: Settings, places: Directories) -> TrackingUri:
    """The store to serve; the embedded one where none is chosen."""
    chosen = settings.get("backend-store-uri")
    if chosen is None:
        return parse_tracking_uri(f"sqlite:///{places.database}")
    return parse_tracking_uri(chosen.value, Path.cwd(), served=True)


def _roots(settings: Settings) -> ArtifactRoots:
    """Where artifacts are kept. Raises RequestError for places that no store can use."""
    destination, default = settings.get("artifacts-destination"), settings.get("default-artifact-root")
    serving = settings.text("serve-artifacts", "1")
    if not settings.is_true(serving) and default is None:
        raise RequestError(
            f"{serving.origin.replace('--', '--no-')}: the server takes no artifacts, so clients need a place for them",
            hint="name it with --default-artifact-root: a folder that all of them see, or s3://BUCKET/PATH",
        )
    return checked_roots(
        ArtifactRoots(destination.value if destination else "", default.value if default else "")
    )


def _opener(uri: TrackingUri, roots: ArtifactRoots) -> Callable[[Warn], RunStore]:
    if uri.kind == "postgresql":
        from projrun.tracking.sql.postgres.opening import open_database

        return lambda warn: _for_others(open_database(uri, roots))
    if uri.kind != "sqlite" and any(roots):
        raise RequestError(
            f"the store {uri.shown} decides itself where its artifacts are",
            hint="remove --artifacts-destination and --default-artifact-root",
        )

    def opened(warn: Warn) -> RunStore:
        store = open_store(uri, os.environ, warn=warn)
        return _for_others(place_artifacts(store, roots)) if isinstance(store, SqlStore) else store

    return opened


def _for_others(store: SqlStore) -> SqlStore:
    store.has_local_clients = False
    return store


def _look(store: RunStore, workers: int) -> None:
    """Ask the store for something: a server that starts has one that answers."""
    try:
        if workers > 1 and find_part(store, LocalStore) is not None:
            raise RequestError(
                f"--workers: {store.uri} has one writer, so more processes would only wait for each other",
                hint="one process is faster; several help where the store is in PostgreSQL",
            )
        if isinstance(store, SqlStore) and store.default_root != SqlStore.default_root:
            settle_default_experiment(store)
        store.get_experiment_by_name("Default")
    finally:
        store.close()
