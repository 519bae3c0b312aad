"""The plan of a run: a value that holds all decisions, made before anything is created.

`make_plan` is fetch, load, bind and resolve. All mistakes in the request are found here;
only the checkout is written, and no tracking server is asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from projrun.directories import Directories, expanded
from projrun.environments.choice import (
    choose_environment,
    exported_by,
    idle_warnings,
    lock_file,
    lock_kind_of,
    read_given,
    the_environment,
)
from projrun.environments.protocol import (
    EnvironmentManager,
    EnvironmentRequest,
    GivenOptions,
    ResolvedEnvironment,
)
from projrun.environments.registry import select_manager
from projrun.errors import RequestError
from projrun.execution.registry import check_config, get_backend
from projrun.plugins import built_ins
from projrun.project.binding import bind
from projrun.project.entry_points import find_entry_point
from projrun.project.loader import load_project
from projrun.project.model import EntryPoint, Invocation, Project
from projrun.project.paths import is_fixed
from projrun.reporting import Activity, unseen
from projrun.running.record.parent import (
    ExperimentChoice,
    TrackingTarget,
    choose_experiment,
    find_parent,
    journaling,
    unused_journaling,
)
from projrun.running.request import Context, Observation, RunRequest, observation_of
from projrun.settings import Setting, Settings
from projrun.settings.options import LIMITS
from projrun.sources.checkout import Checkout
from projrun.sources.fetch import discard, fetch
from projrun.sources.git.work_tree import WorkTreeInquiry
from projrun.sources.options import FetchOptions
from projrun.sources.places import downloads
from projrun.sources.policy import TrustPolicy
from projrun.tracking.uri import parse_tracking_uri
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from projrun.environments.abilities import TakesOptions
    from projrun.running.limits import RunLimits


class EnvironmentPlan(NamedTuple):
    """The manager that was chosen, why, and what it would use."""

    manager: EnvironmentManager
    reason: str
    request: EnvironmentRequest
    resolved: ResolvedEnvironment
    rebuild: bool
    exported: Mapping[str, str] = {}
    """Makes the user's choice apply to nested runs, too."""
    warnings: tuple[str, ...] = ()
    """Options that have no effect with this manager, and what was changed about the user's folders."""
    redirects_mlflow: bool = True
    """Whether `mlflow.run` in a command of this machine starts projrun."""


class BackendChoice(NamedTuple):
    """The execution backend and its configuration."""

    name: str
    config: Mapping[str, object]
    origin: str
    idle: str = ""
    """What to say of a configuration that the backend does not take."""


class Plan(NamedTuple):
    """All that is known before anything runs."""

    checkout: Checkout
    project: Project
    invocation: Invocation
    environment: EnvironmentPlan
    backend: BackendChoice
    tracking: TrackingTarget
    experiment: ExperimentChoice
    run_name: str | None
    run_id: str | None
    """An existing run to record into (`--run-id`)."""
    storage_directory: Path
    keep_storage: bool
    """True where the user named the storage folder; else it is removed at the end."""
    grace_period: float
    end_timeout: float
    """Seconds for what is recorded after the end of the command."""
    terminal: bool
    """Whether the command gets a terminal where projrun has one."""
    observation: Observation
    environ: Mapping[str, str]
    directories: Directories
    warnings: tuple[str, ...]
    tags: Mapping[str, str] = {}
    caller_directory: Path | None = None
    """What the `path` parameters that were given are relative to, where any is and all are relative to one folder."""
    policy: TrustPolicy = TrustPolicy()
    """The policy that allowed the source."""
    end_leftovers: bool = False
    """Whether what the command leaves running in sessions of its own is ended, too."""
    keep_checkout: bool = False
    """Whether the run's copy of the checkout is kept even where nothing in it would be lost."""
    parent: str | None = None
    """The run that this one is nested in, in the same store."""
    limits: RunLimits | None = None
    """None where there are neither limits nor retries."""


def make_plan(
    request: RunRequest,
    context: Context,
    *,
    own_copy: bool = True,
    activity: Activity = unseen,
    inquiry: WorkTreeInquiry | None = None,
) -> Plan:
    """Decide everything; `inquiry` is for `FetchOptions`.

    Without `own_copy` the plan is only shown: the cached checkout itself is read (with a patch there is still a
    copy, which must be discarded). Raises RequestError, SourceError or EnvironmentBuildError; a copy
    of the checkout made for the run is removed then.
    """
    decided = _decide(request, context)
    patched = request.patch is not None  # into a copy, also to be looked at
    checkout = _fetch(
        request, context, decided.policy, own_copy=own_copy or patched, activity=activity, inquiry=inquiry
    )
    try:
        if request.patch is not None:
            from projrun.sources.changes.restoration import apply_patch

            checkout = apply_patch(checkout, request.patch, context.environ)
        if context.settings.get("require-clean"):
            from projrun.running.clean_source import require_clean

            require_clean(checkout, context)
        # What is only shown writes nothing, not even what would spare the YAML parser later.
        return _plan(request, context, checkout, decided, keep=own_copy)
    except BaseException:
        discard(checkout)
        raise


def plan_environment(request: RunRequest, context: Context, known: Project | None = None) -> EnvironmentPlan:
    """Decide on the environment alone, whatever the entry point would need; of a project that is known, where it is.

    Raises RequestError, SourceError or EnvironmentBuildError.
    """
    checkout = _fetch(request, context, TrustPolicy.of(context.settings), own_copy=False)
    project = known or _load(request, context, checkout, keep=False)
    return _environment(request, context, checkout, project)


def _fetch(
    request: RunRequest,
    context: Context,
    policy: TrustPolicy,
    *,
    own_copy: bool,
    activity: Activity = unseen,
    inquiry: WorkTreeInquiry | None = None,
) -> Checkout:
    caller, offline = request.caller_directory, context.settings.enabled("offline")
    options = FetchOptions(
        context.directories.cache, context.environ, caller, policy, offline, own_copy, activity, inquiry
    )
    return fetch(request.uri, request.version, options)


class _Decided(NamedTuple):
    """What the settings alone decide, before anything is fetched."""

    tracking: TrackingTarget
    experiment: ExperimentChoice
    backend: BackendChoice
    grace_period: float
    policy: TrustPolicy
    limits: RunLimits | None


def _decide(request: RunRequest, context: Context) -> _Decided:
    settings = context.settings
    tracking = tracking_target(settings, context.directories, request.caller_directory)
    return _Decided(
        tracking._replace(journal=journaling(settings, context.environ, tracking.uri)),
        choose_experiment(settings, context.environ, tracking.uri.text),
        _backend(settings, request.caller_directory),
        settings.seconds("grace-period", 10.0),
        TrustPolicy.of(settings),
        _limits(settings),
    )


def _plan(
    request: RunRequest, context: Context, checkout: Checkout, decided: _Decided, *, keep: bool
) -> Plan:
    settings = context.settings
    storage, keep_storage = _storage(request, context)
    project, entry_point = _read(request, context, checkout, keep=keep)
    invocation = bind(
        project, entry_point, request.parameters,
        caller_directory=request.caller_directory,
        storage_directory=storage,
        strict=settings.enabled("strict"),
    )  # fmt: skip
    environment = _environment(request, context, checkout, project)
    parent, orphaned = _parent(context, decided.tracking)
    said = (decided.backend.idle, orphaned, unused_journaling(settings, decided.tracking))
    found = (*checkout.warnings, *project.warnings, *invocation.warnings, *environment.resolved.warnings)
    return Plan(
        checkout=checkout,
        project=project,
        invocation=invocation,
        environment=environment,
        backend=decided.backend,
        tracking=decided.tracking,
        experiment=decided.experiment,
        run_name=_value(settings.get("run-name")),
        run_id=_value(settings.get("run-id")),
        storage_directory=storage,
        keep_storage=keep_storage,
        grace_period=decided.grace_period,
        end_timeout=settings.seconds("end-timeout", 60.0),
        terminal=not settings.enabled("no-tty"),
        observation=observation_of(context, decided.backend.name),
        environ=context.environ,
        directories=context.directories,
        warnings=(*found, *environment.warnings, *filter(None, said)),
        tags={**_context_tags(context), **request.tags},
        caller_directory=_base_of_paths(request, invocation),
        policy=decided.policy,
        end_leftovers=settings.enabled("end-leftovers"),
        keep_checkout=settings.enabled("keep-workdir"),
        parent=parent,
        limits=_held(decided, environment.manager, context.environ),
    )


def _limits(settings: Settings) -> RunLimits | None:
    if not any(map(settings.get, LIMITS)):
        return None
    from projrun.running.limits import read_limits

    return read_limits(settings)


def _held(decided: _Decided, manager: EnvironmentManager, environ: Mapping[str, str]) -> RunLimits | None:
    if decided.limits is None:
        return None
    from projrun.running.limits import check_held

    return check_held(decided.limits, manager, decided.backend.name, environ)


def _parent(context: Context, tracking: TrackingTarget) -> tuple[str | None, str]:
    """The parent of a new run, or what to say where it has none; a run that is continued keeps its own."""
    if context.settings.get("run-id"):
        return None, ""
    return find_parent(context.environ, tracking.uri.text)


def _context_tags(context: Context) -> Mapping[str, str]:
    """What the run-context plug-ins that `config.toml` names say of the run."""
    named = context.settings.get("run-context")
    if named is None:
        return {}
    from projrun.tracking.extensions import context_tags

    return context_tags(named.value, context.environ)


def _read(
    request: RunRequest, context: Context, checkout: Checkout, *, keep: bool
) -> tuple[Project, EntryPoint]:
    try:
        project = _load(request, context, checkout, keep=keep)
        name = checkout.entry_point(request.entry_point)
        return project, find_entry_point(project, name, environ=context.environ, source=request.uri)
    except RequestError as error:
        if checkout.cached is None:
            raise
        # The folder is in the cache and about to be removed: people know where it came from.
        version = f" at {checkout.version}" if checkout.version else ""
        message = error.message.replace(f"{checkout.directory}{os.sep}", "")
        message = message.replace(str(checkout.directory), "it")
        raise RequestError(
            f"{message} ({checkout.uri}{version})", hint=error.hint, detail=error.detail
        ) from None


def _load(request: RunRequest, context: Context, checkout: Checkout, *, keep: bool) -> Project:
    # The user's own folder may name any file that the user can read, what was fetched only its own.
    within = None if checkout.cached is None else checkout.root
    entry_point = checkout.entry_point(request.entry_point)
    cache = context.directories.cache
    return load_project(checkout.directory, cache, keep=keep, within=within, entry_point=entry_point)


def _base_of_paths(request: RunRequest, invocation: Invocation) -> Path | None:
    paths = [one for one in invocation.parameters if one.type == "path" and one.download is None]
    given = [request.parameters[one.name] for one in paths if one.origin != "default"]
    folders = {one.directory or request.caller_directory for one in given if not is_fixed(one.text)}
    return folders.pop() if len(folders) == 1 else None


def tracking_target(settings: Settings, directories: Directories, caller_directory: Path) -> TrackingTarget:
    """The tracking store that the settings name, else the embedded one."""
    setting = settings.get("tracking-uri")
    if setting is None:
        uri = parse_tracking_uri(f"sqlite:///{directories.database}", caller_directory)
        return TrackingTarget(uri, "default: the embedded store")
    return TrackingTarget(parse_tracking_uri(setting.value, caller_directory), setting.origin)


def _backend(settings: Settings, caller_directory: Path) -> BackendChoice:
    name = settings.text("backend", built_ins().DEFAULT_BACKEND)
    setting = settings.get("backend-config")
    config: Mapping[str, object] = {}
    if setting:
        from projrun.running.backend_config import read_backend_config

        config = read_backend_config(setting, caller_directory)
    idle = check_config(get_backend(name.value), config)
    return BackendChoice(name.value, {} if idle else config, name.origin, idle)


def _storage(request: RunRequest, context: Context) -> tuple[Path, bool]:
    setting = context.settings.get("storage-dir")
    if setting:
        return request.caller_directory / expanded(setting.value, setting.origin), True
    return downloads(context.directories.cache) / os.urandom(8).hex(), False


def _environment(
    request: RunRequest, context: Context, checkout: Checkout, project: Project
) -> EnvironmentPlan:
    requested = {**request.options, "registry-login": request.registry_login}
    given = GivenOptions(context.settings, request.caller_directory, context.environ, requested)
    choice = choose_environment(context.settings)
    records = read_given(given, choice)
    reference, unused = the_environment(project, choice.manager)
    environment_request = EnvironmentRequest(
        project_directory=checkout.directory,
        reference=reference,
        cache_directory=context.directories.environments,
        environ={**context.environ, **exported_by(records.values())},
        temporary_checkout=checkout.cached is not None,
        checkout_root=checkout.root if checkout.cached is not None else None,
        project_name=project.name,
        commit=checkout.commit,
        offline=context.settings.enabled("offline"),
    )
    selection = select_manager(choice.manager, choice.origin, environment_request, lock_kind_of(given))
    manager = selection.manager
    # isinstance of a Protocol imports `inspect` from Python 3.12 on: a tenth of the start.
    options = cast("TakesOptions", manager).read_options(given) if hasattr(manager, "read_options") else None
    exported = exported_by((*records.values(), options))
    environment_request = environment_request._replace(
        environ={**context.environ, **exported},
        lock_file=lock_file(given, manager),
        options=options,
        instead=selection.instead,
    )
    return EnvironmentPlan(
        manager,
        selection.reason,
        environment_request,
        manager.resolve(environment_request),
        request.enabled("rebuild-env") and manager.capabilities.builds,
        {**choice.exported, **exported},
        (*context.warnings, *unused, *idle_warnings(records, options)),
        context.settings.is_true(context.settings.text("mlflow-run", "on")),
    )


def _value(setting: Setting | None) -> str | None:
    return setting.value if setting else None
