"""Stores, artifact stores and logins of other packages, found by a URI's scheme or by name where it is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from projrun.errors import ProjrunError, RequestError, TrackingError
from projrun.plugins import load_plugin

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from projrun.tracking.artifacts.repository import ArtifactRepository
    from projrun.tracking.runs import RunStore


class StorePlugin(Protocol):
    """Group `projrun.stores`, named by the scheme of tracking URIs."""

    def __call__(self, uri: str, environ: Mapping[str, str]) -> RunStore: ...


class ArtifactPlugin(Protocol):
    """Group `projrun.artifacts`, named by the scheme of artifact URIs."""

    def __call__(self, uri: str, environ: Mapping[str, str]) -> ArtifactRepository: ...


class AuthPlugin(Protocol):
    """Group `projrun.auth`, named by MLFLOW_TRACKING_AUTH, which is also the argument."""

    def __call__(self, name: str) -> AuthBase: ...


class ContextPlugin(Protocol):
    """Group `projrun.run_context`, named by `run-context` in `config.toml`: tags for every run."""

    def __call__(self, environ: Mapping[str, str]) -> Mapping[str, str]: ...


def is_offered(kind: str, name: str, group: str) -> bool:
    """Whether a package that is installed offers the name."""
    try:
        load_plugin(kind, name, {}, group)
    except RequestError:
        return False
    return True


def call(kind: str, name: str, group: str, *arguments: object) -> Any:
    """What the plug-in gives. Raises RequestError for an unknown name, TrackingError for a plug-in that fails."""
    plugin = load_plugin(kind, name, {}, group)
    try:
        return plugin(*arguments)
    except ProjrunError:
        raise
    except Exception as error:
        raise TrackingError(f"{kind} {name!r}: {type(error).__name__}: {error}") from error


def open_plugin_store(scheme: str, uri: str, environ: Mapping[str, str]) -> RunStore:
    """The store of a URI whose scheme another package offers."""
    store: RunStore = call("tracking store", scheme, "projrun.stores", uri, environ)
    return store


def open_plugin_artifacts(scheme: str, uri: str, environ: Mapping[str, str]) -> ArtifactRepository | None:
    """The artifacts of a URI whose scheme another package offers; None where none does."""
    if not is_offered("artifact store", scheme, "projrun.artifacts"):
        return None
    repository: ArtifactRepository = call("artifact store", scheme, "projrun.artifacts", uri, environ)
    return repository


def plugin_auth(name: str) -> AuthBase:
    """The login that MLFLOW_TRACKING_AUTH names."""
    auth: AuthBase = call("authentication", name, "projrun.auth", name)
    return auth


def context_tags(names: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The tags of the run-context plug-ins that are named, separated by commas; of two alike, the later one's."""
    tags: dict[str, str] = {}
    for name in filter(None, (name.strip() for name in names.split(","))):
        found = call("run context", name, "projrun.run_context", environ)
        tags |= {str(key): str(value) for key, value in dict(found).items()}
    return tags
