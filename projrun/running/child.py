"""The environment variables of a run's child process: explicit, never the caller's stale ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from projrun.environments.protocol import PreparedEnvironment
from projrun.running.record.parent import ENDPOINT_STORE, PARENT_RUN_ID
from projrun.running.session import Session, endpoint_store, log_secrets, run_store, store_name
from projrun.server.endpoint import Endpoint, proxied
from projrun.settings.options import LIMITS, OPTIONS
from projrun.tracking.runs import RunStore
from projrun.tuples import NamedTuple

RUNNER = "PROJRUN_RUNNER"
"""The variable with the Python that runs projrun, for what `shim/on_path` starts."""
RUN_URI = "PROJRUN_RUN_URI"
"""The variable with the address at which the command's own run is recorded, for the same."""

_SHIM = Path(__file__).parent / "shim" / "on_path"
_LOG = Path(__file__).parent / "shim" / "on_path_last"
_SHIM_NAME = "projrun-mlflow-run"

_NO_PROXY = {"NO_PROXY", "no_proxy"}

# A child must not resume its parent's run, nor record in another store or experiment than this run's:
# only MLFLOW_RUN_ID, MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_ID decide.
_STALE = (
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_RUN_NAME",
    "PROJRUN_TRACKING_URI",
    "PROJRUN_EXPERIMENT_NAME",
    "PROJRUN_EXPERIMENT_ID",
    # Of these, the run exports the one that it was created with.
    "PROJRUN_ENV_MANAGER",
    "PROJRUN_ENV",
    ENDPOINT_STORE,
    # The limits of the run hold for all that its command starts.
    *(variable for name in LIMITS for variable in OPTIONS[name].variables),
    "PROJRUN_ATTEMPT",
)


class TrackingAddress(NamedTuple):
    """Where the child finds the tracking store."""

    uri: str
    """An address that its client can use: an http(s) URI, or the endpoint's."""
    endpoint_store: str | None = None
    """The store behind the endpoint, as a name only; None where the URI is the store itself."""
    endpoint_host: str = "127.0.0.1"
    """The endpoint's host as the child sees it."""


def run_variables(
    *, run_id: str, experiment_id: str, address: TrackingAddress, extra: Mapping[str, str]
) -> dict[str, str]:
    """The variables that tell a command about its run, wherever it runs."""
    variables = {
        "MLFLOW_RUN_ID": run_id,
        "MLFLOW_EXPERIMENT_ID": experiment_id,
        "MLFLOW_TRACKING_URI": address.uri,
        **extra,
        PARENT_RUN_ID: run_id,
    }
    if address.endpoint_store:
        variables[ENDPOINT_STORE] = address.endpoint_store
        # The client would print links to a web page that the endpoint does not have.
        variables["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
        variables["NO_PROXY"] = variables["no_proxy"] = address.endpoint_host
    return variables


def child_environment(
    caller: Mapping[str, str], prepared: PreparedEnvironment, variables: Mapping[str, str]
) -> dict[str, str]:
    """The child's whole environment: the caller's, the prepared environment's over it, then the run's."""
    environ = {name: value for name, value in caller.items() if name not in _STALE}
    for name in prepared.unset:
        environ.pop(name, None)
    environ.update(prepared.environ)
    environ["PATH"] = _path(environ.get("PATH", os.defpath), prepared.path_prefix)
    environ.setdefault("PYTHONUNBUFFERED", "1")
    unproxied = {
        name: _with_host(environ.get(name, ""), variables[name]) for name in _NO_PROXY & variables.keys()
    }
    environ.update({**variables, **unproxied})
    return environ


def with_shim(environ: Mapping[str, str]) -> dict[str, str]:
    """The child's environment, in which `mlflow.run` is redirected to this projrun."""
    return {
        **environ,
        "PYTHONPATH": _with_first(str(_SHIM), environ.get("PYTHONPATH", ""), os.pathsep),
        # `pip freeze` in the command would list the folder, whose name no index knows.
        "PIP_EXCLUDE": _with_first(_SHIM_NAME, environ.get("PIP_EXCLUDE", ""), " "),
        RUNNER: sys.executable,
        # The client changes MLFLOW_TRACKING_URI when a script sets another one.
        RUN_URI: environ.get("MLFLOW_TRACKING_URI", ""),
    }


def with_log(environ: Mapping[str, str]) -> dict[str, str]:
    """The child's environment, in which `projrun.log` can be imported; `PROJRUN_LOG=off` leaves it out."""
    path, folder = environ.get("PYTHONPATH", ""), str(_LOG)
    if environ.get("PROJRUN_LOG") == "off" or folder in path.split(os.pathsep):
        return dict(environ)
    return {**environ, "PYTHONPATH": f"{path}{os.pathsep}{folder}" if path else folder}


def _with_first(word: str, words: str, separator: str) -> str:
    """The words as they are, after one that must be among them."""
    return words if word in words.split(separator) else separator.join(filter(None, (word, words)))


def _with_host(hosts: str, host: str) -> str:
    listed = [one for one in hosts.split(",") if one]
    return ",".join(listed if host in listed else [*listed, host])


def _path(path: str, prefix: tuple[Path, ...]) -> str:
    folders = [*map(str, prefix), *path.split(os.pathsep)]
    own = _own_scripts()
    # Last, so that it hides nothing: a shell step may call `projrun` in any environment.
    if own and not any(os.access(Path(folder, "projrun"), os.X_OK) for folder in folders if folder):
        folders.append(own)
    return os.pathsep.join(folders)


def _own_scripts() -> str | None:
    folder = Path(sys.executable).parent
    return str(folder) if (folder / "projrun").exists() else None


@contextmanager
def tracking_address(
    session: Session, prepared: PreparedEnvironment
) -> Iterator[tuple[TrackingAddress, tuple[str, ...]]]:
    """Where the child finds the run's store, and what of that is secret; a store that is no server is served."""
    plan = session.plan
    uri = plan.tracking.uri
    secrets = log_secrets(plan)
    journal = _journal_of(session)
    if uri.kind == "rest" and not journal:
        outer = endpoint_store(plan)
        text = proxied(uri.text) if outer and prepared.endpoint else uri.text
        yield TrackingAddress(text, outer), secrets
        return

    def opened() -> RunStore:
        return run_store(plan, session.lease.folder)

    reach = prepared.endpoint
    addresses = reach.addresses if reach else ()
    if journal == "buffer":
        from projrun.running.buffering import buffering_endpoint

        opening: AbstractContextManager[Endpoint] = buffering_endpoint(session, addresses)
    else:
        opening = Endpoint.open(opened, addresses, session.lease.note_created)
    with opening as endpoint:
        name = store_name(plan)
        # A command on this machine sees the artifacts' folder.
        address = (
            TrackingAddress(endpoint.uri_at(reach.host), name, reach.host)
            if reach
            else TrackingAddress(endpoint.uri, name)
        )
        yield address, (*secrets, endpoint.secret)


def _journal_of(session: Session) -> str:
    """How the command records: what a continued run has logged before is only in its server."""
    journal = session.plan.tracking.journal
    if journal == "buffer" and session.recorder.before is not None:
        session.reporter.warning("--tracking-buffer: not used for a run that is continued")
        return ""
    return journal
