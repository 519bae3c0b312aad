"""What surrounds a run: its parent, its experiment; also what the mlflow imported by the calling process knows.

Never `MLFLOW_RUN_ID`, which the mlflow client deletes from its own environment (docs/mlproject.md).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from projrun.credentials import redact_uri
from projrun.errors import RequestError
from projrun.settings import Settings
from projrun.tracking.uri import TrackingUri
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    Journaling = Literal["", "offline", "buffer"]

PARENT_RUN_ID = "PROJRUN_PARENT_RUN_ID"
ENDPOINT_STORE = "PROJRUN_ENDPOINT_STORE"


class TrackingTarget(NamedTuple):
    """Where the run will be recorded."""

    uri: TrackingUri
    origin: str
    journal: Journaling = ""


class Parent(NamedTuple):
    """The run that a new one is nested in."""

    run_id: str
    stores: tuple[str, ...]
    """The addresses of the store that it is in: ids mean nothing elsewhere. Empty where that is not known."""


class ExperimentChoice(NamedTuple):
    """The requested experiment: by name or by id; by both, they must mean the same (MLflow's two variables)."""

    name: str | None
    experiment_id: str | None
    origin: str


def find_parent(environ: Mapping[str, str], tracking_uri: str) -> tuple[str | None, str]:
    """The id of the parent of a run that is recorded there; None, and what to say, where the parent is elsewhere."""
    parent = _active() or _surrounding(environ)
    if parent is None:
        return None, ""
    stores = _all_names(parent.stores, environ)
    if not stores or _is_one_of(tracking_uri, stores):
        return parent.run_id, ""
    place, here = redact_uri(stores[-1]), redact_uri(tracking_uri)
    return None, f"no parent is recorded: run {parent.run_id} is in {place}, this run in {here}"


def choose_experiment(settings: Settings, environ: Mapping[str, str], tracking_uri: str) -> ExperimentChoice:
    """The experiment of a new run that is recorded there; RequestError for two options."""
    of_mlflow = _experiment_of_mlflow(environ, tracking_uri)
    name, experiment_id = settings.get("experiment-name"), settings.get("experiment-id")
    if name and experiment_id and name.origin.startswith("--") and experiment_id.origin.startswith("--"):
        raise RequestError(
            "both --experiment-name and --experiment-id are given", hint="give only one of them"
        )
    chosen = settings.first_of("experiment-name", "experiment-id")
    # The surrounding run sets the variable to its own experiment, of its own store.
    if chosen is None or (of_mlflow == "elsewhere" and chosen[1].origin == "$MLFLOW_EXPERIMENT_ID"):
        return ExperimentChoice(None, "0", "default")
    option, setting = chosen
    if option == "experiment-name":
        variables = ["$MLFLOW_EXPERIMENT_NAME", "$MLFLOW_EXPERIMENT_ID"]
        if experiment_id and not of_mlflow and [setting.origin, experiment_id.origin] == variables:
            return ExperimentChoice(setting.value, experiment_id.value, setting.origin)
        return ExperimentChoice(setting.value, None, setting.origin)
    return ExperimentChoice(None, setting.value, setting.origin)


def _experiment_of_mlflow(environ: Mapping[str, str], tracking_uri: str) -> str:
    """Whose MLFLOW_EXPERIMENT_ID is: "" the user's, else the surrounding run or `mlflow.set_experiment` set it.

    Then whether it is of the store of the run (`here`) or of another (`elsewhere`).
    """
    surrounding = _surrounding(environ)
    stores = surrounding.stores if surrounding else ()
    mlflow = sys.modules.get("mlflow")
    fluent = sys.modules.get("mlflow.tracking.fluent")
    chosen = getattr(fluent, "_active_experiment_id", None)
    if chosen is not None and str(chosen) == environ.get("MLFLOW_EXPERIMENT_ID"):
        stores = _stores_of(mlflow)
    if not stores:
        return ""
    return "here" if _is_one_of(tracking_uri, _all_names(stores, environ)) else "elsewhere"


def parent_run_id(environ: Mapping[str, str]) -> str | None:
    """The active run of the imported mlflow, else the run that this process belongs to, whatever its store."""
    parent = _active() or _surrounding(environ)
    return None if parent is None else parent.run_id


def journaling(settings: Settings, environ: Mapping[str, str], uri: TrackingUri) -> Journaling:
    """How the run is recorded on this machine first: not where its store is a file, or a surrounding run's endpoint."""
    nested = environ.get(ENDPOINT_STORE) and uri.text == environ.get("MLFLOW_TRACKING_URI")
    if uri.kind == "sqlite" or nested:
        return ""
    if settings.enabled("offline-tracking"):
        return "offline"
    return "buffer" if uri.kind == "rest" and settings.enabled("tracking-buffer") else ""


def unused_journaling(settings: Settings, tracking: TrackingTarget) -> str:
    """What to say of an option of the command line that has no effect; inside a run, the outer run's option counts."""
    journal = tracking.journal
    if journal == "" and tracking.uri.kind == "rest":
        return ""
    why = "the run is recorded offline" if journal else f"{tracking.uri.shown} is no tracking server"
    wanted = (("offline-tracking", "offline"), ("tracking-buffer", "buffer"))
    idle = [f"--{name}" for name, way in wanted if way != journal and _is_given(settings, name)]
    return f"{' and '.join(idle)}: no effect, as {why}" if idle else ""


def _is_given(settings: Settings, flag: str) -> bool:
    """Whether the command line has it; a variable or `config.toml` is meant for all runs alike."""
    setting = settings.get(flag)
    return setting is not None and setting.origin == f"--{flag}"


def _active() -> Parent | None:
    mlflow = sys.modules.get("mlflow")
    active_run = getattr(mlflow, "active_run", None)
    run = None if active_run is None else active_run()
    return None if run is None else Parent(str(run.info.run_id), _stores_of(mlflow))


def _stores_of(mlflow: object) -> tuple[str, ...]:
    get_tracking_uri = getattr(mlflow, "get_tracking_uri", None)
    return () if get_tracking_uri is None else (str(get_tracking_uri()),)


def _surrounding(environ: Mapping[str, str]) -> Parent | None:
    run_id, uri = environ.get(PARENT_RUN_ID), environ.get("MLFLOW_TRACKING_URI")
    return Parent(run_id, (uri,) if uri else ()) if run_id else None


def _all_names(stores: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...]:
    """With the store behind the endpoint of the surrounding run, which is the last."""
    behind = environ.get(ENDPOINT_STORE)
    is_endpoint = behind and environ.get("MLFLOW_TRACKING_URI") in stores
    return (*stores, behind) if behind and is_endpoint else stores


def _is_one_of(tracking_uri: str, stores: tuple[str, ...]) -> bool:
    return tracking_uri.rstrip("/") in [store.rstrip("/") for store in stores]


def imported_tracking_uri() -> str | None:
    """What `mlflow.set_tracking_uri` was given in this process, where it was."""
    mlflow = sys.modules.get("mlflow")
    is_set = getattr(mlflow, "is_tracking_uri_set", None)
    if mlflow is None or is_set is None or not is_set():
        return None
    return str(mlflow.get_tracking_uri())
