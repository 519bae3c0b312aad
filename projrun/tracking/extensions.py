"""Stores, artifact stores and logins of other packages, found by a URI's scheme or by name where it is not ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from projrun.errors import InvalidValueError
from projrun.foreign import Origin, call_plugin
from projrun.plugins import is_offered
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Experiment, ExperimentPage, FileInfo, MetricPage, Run, RunPage
from projrun.tracking.limits import check_key
from projrun.tracking.runs import RunStore

if TYPE_CHECKING:
    from requests import PreparedRequest
    from requests.auth import AuthBase

_STORES = "projrun.stores"
_ARTIFACTS = "projrun.artifacts"


def open_plugin_store(scheme: str, uri: str, environ: Mapping[str, str]) -> RunStore:
    """The store of a URI whose scheme another package offers."""
    origin, found = call_plugin("tracking store", scheme, _STORES, uri, {**environ})
    origin.check_members(found, RunStore, "what it returned")
    origin.expect(found.uri, str, "`uri` of what it returned")
    store: RunStore = origin.stand_in(found, {**_RESULTS, "artifacts": _checked_artifacts})
    return store


def _of_type(method: str, kind: type) -> Callable[[Origin, object], object]:
    return lambda origin, found: origin.expect(found, kind, f"what `{method}` returned")


_RESULTS = {
    method: _of_type(method, kind)
    for method, kind in {
        "create_experiment": str,
        "get_experiment": Experiment,
        "search_experiments": ExperimentPage,
        "create_run": Run,
        "get_run": Run,
        "update_run": Run,
        "search_runs": RunPage,
        "get_metric_history": MetricPage,
        "param_value_limit": int,
    }.items()
}
"""The checks of what a store's methods return."""


def open_plugin_artifacts(scheme: str, uri: str, environ: Mapping[str, str]) -> ArtifactRepository | None:
    """The artifacts of a URI whose scheme another package offers; None where none does."""
    if not is_offered(scheme, _ARTIFACTS):
        return None
    return _checked_artifacts(*call_plugin("artifact store", scheme, _ARTIFACTS, uri, {**environ}))


def _checked_artifacts(origin: Origin, found: object) -> ArtifactRepository:
    origin.check_members(found, ArtifactRepository, "the artifact repository that it returned")
    # The caller's own file may be gone, its folder may be full.
    results = {"list": _checked_entries, "download": _checked_path}
    repository: ArtifactRepository = origin.stand_in(found, results, OSError)
    return repository


def _checked_entries(origin: Origin, found: object) -> tuple[FileInfo, ...]:
    entries = origin.expect(found, tuple, "what `list` returned")
    return tuple(origin.expect_record(entry, FileInfo, "an entry that `list` returned") for entry in entries)


def _checked_path(origin: Origin, found: object) -> Path:
    return origin.expect(found, Path, "what `download` returned")


def plugin_auth(name: str) -> AuthBase:
    """The login that MLFLOW_TRACKING_AUTH names."""
    origin, found = call_plugin("authentication", name, "projrun.auth", name)
    if not callable(found):
        raise origin.fault(f"what it returned is of the type {type(found).__name__}, which signs no requests")

    def sign(request: PreparedRequest) -> PreparedRequest:
        with origin.faults():
            signed = found(request)
        return origin.expect(signed, type(request), "the signed request")

    return cast("AuthBase", sign)  # requests calls it, and no more


def context_tags(names: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The tags of the run-context plug-ins that are named, separated by commas; of two alike, the later one's."""
    tags: dict[str, str] = {}
    for name in filter(None, (name.strip() for name in names.split(","))):
        origin, found = call_plugin("run context", name, "projrun.run_context", {**environ})
        if not isinstance(found, Mapping):
            raise origin.fault(f"what it returned is of the type {type(found).__name__}, not Mapping")
        for key, value in found.items():
            tags[_own_tag(origin, key)] = origin.expect(value, str, f"the value of the tag {key!r}")
    return tags


def _own_tag(origin: Origin, key: object) -> str:
    checked = origin.expect(key, str, f"the name {key!r} of a tag")
    if checked.startswith("projrun."):  # `rerun` reads them
        raise origin.fault(f"the tag {checked!r} is set by projrun")
    try:
        check_key(checked, "tag")
    except InvalidValueError as error:
        raise origin.fault(error.message) from None
    return checked
