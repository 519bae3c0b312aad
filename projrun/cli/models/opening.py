"""The model that a command is about: its files, whether they may be loaded, and the environment that they ask for."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from projrun.cli.asking import at_terminal, confirm
from projrun.cli.models.mistaken import explained
from projrun.cli.models.options import RECORDED
from projrun.cli.models.run_lock import RunLock, run_lock
from projrun.cli.rendering import print_warning
from projrun.cli.reporter import CommandLineReporter
from projrun.cli.request import build_environment_request
from projrun.errors import NotFoundError, RequestError, SourceError
from projrun.models.environment import check_python, model_project
from projrun.models.fetching import FetchedModel, Stores, fetch_model
from projrun.models.mlmodel import MLmodel, read_mlmodel
from projrun.models.names import model_name
from projrun.models.serving.served import ServedModel
from projrun.reporting import visible
from projrun.running.interpreter import interpreter_of, python_version
from projrun.running.plan import EnvironmentPlan, plan_environment, tracking_target
from projrun.running.record.lookup import find_run
from projrun.running.request import Context, RunRequest, context_of
from projrun.settings.options import options_of
from projrun.sources.options import FetchOptions
from projrun.sources.policy import TrustPolicy
from projrun.tracking.artifacts.references import Place, pinned, resolve
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.open import open_store
from projrun.tracking.registry_open import REGISTRY_URI, open_registry


class OpenedModel(NamedTuple):
    """A model whose files are on this machine."""

    files: FetchedModel
    mlmodel: MLmodel
    request: RunRequest
    """Asks for its environment: a model's folder names one as a project's does."""
    context: Context


def opened_model(
    values: Mapping[str, Any], reporter: CommandLineReporter, names: frozenset[str] = frozenset()
) -> OpenedModel:
    """Fetch the model of a command's values and read its MLmodel file; of files elsewhere only `names`, if any.

    Raises ProjrunError.
    """
    is_locked = values.get("locked") == RECORDED
    request = _request({**values, "locked": None} if is_locked else values)
    context = context_of(request, os.environ)
    for warning in context.warnings:
        print_warning(warning)
    options = FetchOptions(
        context.directories.cache,
        context.environ,
        request.caller_directory,
        TrustPolicy.of(context.settings),
        context.settings.enabled("offline"),
        activity=reporter.activity,
    )
    stores = partial(_stores, context, request.caller_directory)
    uri = _with_whole_id(request.uri, stores, offline=options.offline)
    try:
        files = fetch_model(uri, options, stores, names)
        mlmodel = read_mlmodel(files.folder)
    except (RequestError, SourceError, NotFoundError) as error:
        raise explained(error, uri, stores, offline=options.offline) from error
    model = OpenedModel(files, mlmodel, request._replace(uri=str(files.folder)), context)
    return _locked(model, run_lock(mlmodel, stores, options)) if is_locked else model


def _locked(model: OpenedModel, lock: RunLock) -> OpenedModel:
    """The model in the environment of a lock, which must be trusted, too."""
    request = model.request._replace(options={**model.request.options, "locked": str(lock.file)})
    files = model.files._replace(is_own=model.files.is_own and lock.is_own)
    return model._replace(files=files, request=request, context=context_of(request, os.environ))


def model_place(values: Mapping[str, Any]) -> tuple[str, Place]:
    """The version that a registered model's address leads to by now, and where its files are. Raises ProjrunError."""
    request = _request(values)
    context = context_of(request, os.environ)
    with _stores(context, request.caller_directory) as opened:
        if not opened.reached(request.uri, offline=context.settings.enabled("offline")):
            raise RequestError(
                f"--follow asks where {request.uri} leads, and --offline contacts no server",
                hint="remove one of them",
            )
        version = pinned(request.uri, opened.registry)
        return version, resolve(version, opened.runs, registry=opened.registry)


def _request(values: Mapping[str, Any]) -> RunRequest:
    """What commands about a model do not ask for is not asked for."""
    options = {option.keyword: None for option in options_of("model")}
    return build_environment_request({**options, "version": None, **values}, "model")


def _with_whole_id(uri: str, stores: Callable[[], AbstractContextManager[Stores]], *, offline: bool) -> str:
    """`runs:/latest/PATH`, or a prefix of an id, as an address that every store knows."""
    if uri_scheme(uri) != "runs":
        return uri
    run_id, slash, path = uri.partition(":")[2].lstrip("/").partition("/")
    if not run_id or re.fullmatch("[0-9a-f]{32}", run_id):
        return uri
    with stores() as opened:
        if not opened.reached(uri, offline=offline):
            raise RequestError(
                f"{uri} has no whole run id, and --offline asks no server for it", hint="give the whole id"
            )
        return f"runs:/{find_run(opened.runs, run_id).run_id}{slash}{path}"


@contextmanager
def _stores(context: Context, caller_directory: Path) -> Iterator[Stores]:
    target = tracking_target(context.settings, context.directories, caller_directory)
    registry_uri = context.environ.get(REGISTRY_URI)
    with closing(open_store(target.uri, context.environ, warn=print_warning)) as runs:
        other = closing(open_registry(registry_uri, context.environ)) if registry_uri else nullcontext(runs)
        with other as registry:
            yield Stores(runs, registry)


def check_trust(model: OpenedModel, *, trusted: bool, ask: bool = True) -> None:
    """Ask before the code of a model from elsewhere is run. Raises SourceError for a no, and off a terminal.

    Without `ask`, it is refused on a terminal, too.
    """
    if trusted or model.files.is_own:
        return
    shown = visible(model.files.shown)
    said = f"{shown} is from elsewhere, and using a model runs its code"
    if not (ask and at_terminal()):
        raise SourceError(said, hint="give --trust if you trust whoever wrote it")
    confirm(f"{said}. Use it?", SourceError(f"{shown} was not used"))


def planned_environment(model: OpenedModel) -> EnvironmentPlan:
    """The environment that the model's files ask for, built or not. Raises ProjrunError."""
    project = model_project(model.files.folder, model.mlmodel)
    plan = plan_environment(model.request, model.context, project)
    for warning in (*plan.warnings, *plan.resolved.warnings):
        print_warning(warning)
    return plan


def served_model(
    model: OpenedModel, reporter: CommandLineReporter, *, trusted: bool, ask: bool = True
) -> ServedModel:
    """The model with its environment, built if it is not cached. Raises ProjrunError."""
    if model.mlmodel.pyfunc is None:
        raise RequestError(
            f"{model.files.shown} has no python_function flavor, and only that can predict",
            hint=f"it has: {', '.join(model.mlmodel.flavors) or 'none'}",
        )
    check_trust(model, trusted=trusted, ask=ask)
    interpreter = interpreter_of(planned_environment(model), model.context.environ, reporter)
    warning = check_python(model.mlmodel, python_version(interpreter))
    if warning:
        print_warning(warning)
    name = model_name(model.files.shown)
    return ServedModel(name, model.files.folder, interpreter.command, interpreter.environ)
