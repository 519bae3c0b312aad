"""The Python API: `projrun.run` with the signature of `mlflow.projects.run`, and `projrun.rerun`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from projrun.errors import ProjrunError
from projrun.reporting import SilentReporter
from projrun.running.keywords import (
    accepted,
    explained,
    options_from,
    parameters_from,
    registry_login_from,
    text_of,
)
from projrun.running.plan import make_plan
from projrun.running.record.results import (
    ArtifactFile,
    ArtifactFiles,
    MetricPoint,
    MetricPoints,
    RunRecord,
    RunRecords,
    artifacts,
    get_run,
    metric_history,
    search_runs,
)
from projrun.running.request import Context, RunRequest, context_of
from projrun.running.runner import execute
from projrun.running.session import Options
from projrun.running.submitted import FinishedRun, RunningRun, SubmittedRun

if TYPE_CHECKING:
    from datetime import timedelta

    from projrun.running.rerun.repetition import Order
    from projrun.running.runner import Result

__all__ = [
    "ArtifactFile",
    "ArtifactFiles",
    "MetricPoint",
    "MetricPoints",
    "RunFailedError",
    "RunRecord",
    "RunRecords",
    "SubmittedRun",
    "artifacts",
    "get_run",
    "metric_history",
    "rerun",
    "run",
    "search_runs",
]


class RunFailedError(ProjrunError):
    """A synchronous run did not finish; `run_id` and `exit_code` say which and how."""

    def __init__(self, result: Result) -> None:
        run, outcome = result.run, result.outcome
        super().__init__(
            f"run {run.run_name} ({run.run_id}) {run.status}: {outcome.reason}",
            hint=f"see `projrun runs show {run.run_id}`",
        )
        self.run_id = run.run_id
        self.exit_code = outcome.exit_code


def run(
    uri: str,
    entry_point: str = "main",
    version: str | None = None,
    parameters: Mapping[str, object] | None = None,
    docker_args: Mapping[str, object] | None = None,
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    backend: str | None = None,
    backend_config: Mapping[str, object] | str | None = None,
    storage_dir: str | os.PathLike[str] | None = None,
    synchronous: bool = True,
    run_id: str | None = None,
    run_name: str | None = None,
    env_manager: str | None = None,
    build_image: bool = False,
    docker_auth: Mapping[str, str] | None = None,
    *,
    tracking_uri: str | None = None,
    strict: bool = False,
    rebuild_env: bool = False,
    env: str | os.PathLike[str] | None = None,
    locked: str | os.PathLike[str] | None = None,
    python_downloads: str | None = None,
    exact_python: bool = False,
    conda_exe: str | os.PathLike[str] | None = None,
    grace_period: float | None = None,
    timeout: float | str | timedelta | None = None,
    end_leftovers: bool = False,
    memory: int | str | None = None,
    cpus: float | str | None = None,
    gpus: int | None = None,
    retries: int | None = None,
    retry_delay: float | str | timedelta | None = None,
    retry_on: int | str | Sequence[int | str] | None = None,
    end_timeout: float | None = None,
    pass_credentials: bool = False,
    offline: bool = False,
    offline_tracking: bool = False,
    tracking_buffer: bool = False,
    require_clean: bool = False,
    keep_workdir: bool = False,
    timestamps: bool = False,
    system_metrics: bool = False,
) -> SubmittedRun:
    """Run an entry point of the project at `uri` and record it.

    The arguments up to `docker_auth` are those of `mlflow.projects.run`; what is omitted is looked up in
    the environment and in `config.toml`, as on the command line. Parameter values are passed as their
    `str()`; those after `docker_auth` are the command line's options.
    `docker_args` may hold lists, for an option that is repeated. Called inside a running project, or with an
    active mlflow run, the new run is its child.

    With `synchronous=False` a `projrun run` process is started, and this process waits for it at its exit.

    Raises RequestError, SourceError, EnvironmentBuildError or TrackingError (their `exit_code`s are the
    command line's), and RunFailedError for a synchronous run that did not finish.
    """
    asked = locals()
    request = RunRequest(
        text_of("uri", uri),
        Path.cwd(),
        "main" if entry_point is None else text_of("entry_point", entry_point),
        None if version is None else text_of("version", version),
        parameters=parameters_from(parameters),
        options=options_from("run", asked),
        registry_login=registry_login_from(docker_auth),
    )
    context = context_of(request, os.environ)
    return _run_here(request, context) if synchronous else RunningRun.start(request, context)


def rerun(
    run_id: str,
    parameters: Mapping[str, object] | None = None,
    *,
    entry_point: str | None = None,
    source: str | None = None,
    without_patch: bool = False,
    unlocked: bool = False,
    changed_source: bool = False,
    docker_args: Mapping[str, object] | None = None,
    docker_auth: Mapping[str, str] | None = None,
    build_image: bool = False,
    pass_credentials: bool = False,
    rebuild_env: bool = False,
    **options: object,
) -> SubmittedRun:
    """Repeat the run `run_id`, and record the new run in the same experiment.

    `parameters` replace the recorded ones. Where the project's files or packages may differ from the recorded
    ones, a warning says so. `options` are the command line's, with underscores: `tracking_uri`,
    where the run is found and the new one recorded, `experiment_name`, `run_name`, `env_manager`, `locked`,
    `offline=True`, `grace_period=5`, … Waits for the run.

    Raises what `run` raises: RequestError also for a run that cannot be repeated as it is recorded.
    """
    asked = {**options, **locals()}
    from projrun.running.rerun.repetition import Order

    unknown = options.keys() - {option.keyword for option in accepted("rerun") if option.setting}
    if unknown:
        raise TypeError(f"rerun() got an unexpected keyword argument {min(unknown)!r}")
    request = RunRequest(
        "",
        Path.cwd(),
        parameters=parameters_from(parameters),
        options=options_from("rerun", asked),
        registry_login=registry_login_from(docker_auth),
    )
    order = Order(
        text_of("run_id", run_id),
        request,
        context_of(request, os.environ),
        source=None if source is None else text_of("source", source),
        entry_point=None if entry_point is None else text_of("entry_point", entry_point),
        without_patch=without_patch,
        unlocked=unlocked,
        changed_source=changed_source,
    )
    return _rerun_here(order)


def _rerun_here(order: Order) -> SubmittedRun:
    from projrun.running.rerun.planning import compare_environments, plan_repetition
    from projrun.running.rerun.repetition import repetition

    reporter = SilentReporter()
    with repetition(order, reporter.warning) as found:
        planned = plan_repetition(found)
        serious = [f"differs: {one.text}" for one in planned.differences if one.serious]
        for text in (*planned.plan.warnings, *serious):
            reporter.warning(text)
        result = execute(planned.plan, reporter, Options())
        for difference in compare_environments(found, result, reporter.warning):
            reporter.warning(f"differs: {difference.text}")
    return _finished(result)


def _run_here(request: RunRequest, context: Context) -> SubmittedRun:
    plan = make_plan(request, context)
    reporter = SilentReporter()
    for warning in plan.warnings:
        reporter.warning(warning)
    return _finished(execute(plan, reporter, Options()))


def _finished(result: Result) -> SubmittedRun:
    if result.outcome.signal is not None:
        raise KeyboardInterrupt
    if result.outcome.status != "FINISHED":
        raise RunFailedError(result)
    return FinishedRun(result.run.run_id, result.run.status)


_EXPLAINED = {
    "uri": "A folder, the URL of a git repository (`#folder` for one in it), or an archive.",
    "parameters": "Values of the entry point's parameters, by name; passed as their `str()`.",
    "docker_auth": "Login to the registry of the project's image: username, password, registry.",
    "storage_dir": "Folder to download `path` parameters to; kept.",
    "synchronous": "Whether to wait for the run; otherwise it goes on in a process of its own.",
    "timeout": 'Longest time for the command: seconds, "30m" or a timedelta; then it is stopped and FAILED.',
    "run_id": "Record into this existing run instead of a new one.",
    "options": "Other options of the command line, with underscores.",
}
"""What is no option of the command line, or is given in another way in Python."""


def _explain() -> None:
    """`help(projrun.run)` says what each parameter is, in the words of `projrun run --help`."""
    from inspect import cleandoc, signature

    own = {**_EXPLAINED, "run_id": 'The run to repeat: an id or a prefix of one, a name, "latest" or "-2".'}
    of_run = explained("run", signature(run).parameters, _EXPLAINED)
    of_rerun = explained("rerun", signature(rerun).parameters, own)
    run.__doc__ = f"{cleandoc(run.__doc__ or '')}\n\n{of_run}"
    rerun.__doc__ = f"{cleandoc(rerun.__doc__ or '')}\n\n{of_rerun}"


_explain()
