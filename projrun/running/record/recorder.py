"""The record of one run: created before anything starts, and always ended.

What is recorded, and where it differs from MLflow on purpose: docs/mlproject.md, "What a run records".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from projrun.errors import (
    AlreadyExistsError,
    InvalidValueError,
    NotFoundError,
    OverdueError,
    ProjrunError,
    RequestError,
    TrackingError,
)
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.limits import param_value_limit
from projrun.tracking.runs import RunStore
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    from projrun.cache.lease import Lease
    from projrun.journal.journal import Journal
    from projrun.tracking.artifacts.repository import ArtifactRepository

    Hold = Callable[[Journal], None]

_DELIVERY_PAUSES = (0.0, 0.5, 2.0)

LOG = "logs/output.log"
"""The artifact with the command's output."""
RUNNER_LOG = "logs/runner.log"
"""The artifact with what the runner of a detached run said."""
LATER = "; `projrun sync` delivers it later"

_LONGEST_REASON = 2000
"""Characters of a reason that are recorded: below the limit of every MLflow server."""

_OF_PARAMS = "projrun.param."


class RunDescription(NamedTuple):
    """What is known of a run before it starts."""

    experiment_name: str | None
    experiment_id: str | None
    run_id: str | None
    run_name: str | None
    tags: Mapping[str, str]
    params: Sequence[Param]


class RunEnd(NamedTuple):
    """How a run ended."""

    status: Literal["FINISHED", "FAILED", "KILLED"]
    exit_code: int
    reason: str
    end_time: int
    tags: Mapping[str, str] = {}
    """What is known to have ended it."""


class RunRecorder:
    """Writes one run's record; no failure after the start may stop the run."""

    def __init__(self, store: RunStore, run: Run, warn: Callable[[str], None]) -> None:
        self.store = store
        """Where the run is recorded: of an offline run the one in its folder."""
        self._warn = warn
        self.run = run
        self.before: Run | None = None
        """The run as it was found, where it is continued: what it has is not changed."""
        self.log_path = LOG
        self.outbox: Path | None = None
        """The run's folder, where there is one: what the store does not take waits in it."""
        self.waits = False
        """Whether something waits there."""
        self.held: dict[str, Path] = {}
        """The files of artifacts that wait there."""
        self.pause: Callable[[float], None] = time.sleep
        """Waits between attempts; raises OverdueError where no time is left."""
        self.found: Run | None = None
        """The run as the store had it at its end, with what its command recorded; of finished runs."""
        self.failure: Exception | None = None
        """Why the last delivery failed."""
        self._artifacts: ArtifactRepository | None = None
        self._without_artifacts = False

    @classmethod
    def start(
        cls,
        store: RunStore,
        description: RunDescription,
        warn: Callable[[str], None],
        lease: Lease | None = None,
    ) -> RunRecorder:
        """Find or create the experiment, create the run (or continue `run_id`), record params and tags.

        `lease` notes where the run is created, then its id. Raises RequestError for an experiment or run that
        does not exist, TrackingError for a store that fails, also with the params of a run that is there then.
        """
        params = description.params
        if description.run_id:
            from projrun.running.record.continuation import continued, missing_params

            before, run = continued(
                store, description.run_id, description.tags, description.run_name,
                lambda run: _note(lease, run.experiment_id, run),
            )  # fmt: skip
            params = missing_params(before, params, warn)
        else:
            before, run = None, _create(store, description, lease)
        recorder = cls(store, run, warn)
        recorder.before = before
        recorder.outbox = None if lease is None else lease.folder
        recorder._record_params(params)
        return recorder

    def _record_params(self, params: Sequence[Param]) -> None:
        cut, tags = self._within_limit(params)
        if cut or tags:
            self.store.log_batch(self.run.run_id, params=cut, tags=tags)

    def _within_limit(self, params: Sequence[Param]) -> tuple[list[Param], list[Tag]]:
        limit = param_value_limit(params, self.store.param_value_limit)
        cut = [param for param in params if len(param.value) > limit]
        for param in cut:
            self._warn(
                f"parameter {param.key} has {len(param.value)} characters; "
                f"the tracking store keeps the first {limit}"
            )
        tags = [Tag(f"{_OF_PARAMS}{param.key}.truncated", str(len(param.value))) for param in cut]
        return [Param(param.key, param.value[:limit]) for param in params], tags

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags; a store that fails is a warning, and they wait in the run's folder."""
        new = [tag for tag in _tags(tags) if self.before is None or self.before.tag(tag.key) is None]
        if new:
            self._deliver(
                "tags",
                lambda: self.store.log_batch(self.run.run_id, tags=new),
                hold=lambda journal: journal.hold(self.run, tags=new),
            )

    def artifact(self, file: Path, path: str) -> bool:
        """Upload a file; False, with a warning, where that fails, and a copy waits in the run's folder.

        Where a continued run has that artifact, the new one gets a number.
        """

        hold = partial(self._held_artifact, file=file, path=path)
        repository = self._repository()
        if repository is None:
            self._hold(path, hold)
            return False
        return self._deliver(path, lambda: self._upload(repository, file, path), hold=hold)

    def keep_artifacts(self, files: Iterable[tuple[Path, str]]) -> None:
        """Keep copies of files in the run's folder for later, without asking a store that was just away."""
        for file, path in files:
            self._hold(path, partial(self._held_artifact, file=file, path=path))

    def metrics(self, batches: Iterable[Sequence[Metric]]) -> None:
        """Log points. Once the store fails, the others wait in the run's folder without a word of their own."""
        waiting = iter(batches)
        for points in waiting:
            taken = self._deliver(
                "metrics",
                lambda: self.store.log_batch(self.run.run_id, metrics=points),  # noqa: B023 - called at once
                hold=lambda journal: journal.hold(self.run, metrics=points),  # noqa: B023
            )
            if not taken and not isinstance(self.failure, InvalidValueError):
                break
        for points in waiting:
            self._hold("metrics", lambda journal: journal.hold(self.run, metrics=points))  # noqa: B023

    def _own_path(self, path: str) -> str:
        """For a file that waits: of a continued run no name is certain to be free but one with an id in it."""
        if self.before is None or self.outbox is None:
            return path
        folder, slash, name = path.rpartition("/")
        stem, dot, suffix = name.partition(".")
        return f"{folder}{slash}{stem}-{self.outbox.name[:8]}{dot}{suffix}"

    def _held_artifact(self, journal: Journal, *, file: Path, path: str) -> None:
        self.held[path] = journal.hold_artifact(self.run, file, self._own_path(path))

    def _upload(self, repository: ArtifactRepository, file: Path, path: str) -> None:
        free = path
        if self.before is not None:
            from projrun.running.record.continuation import free_path

            free = free_path(repository, path)
        repository.upload(file, free)
        if path == LOG:
            self.log_path = free

    def artifact_folder(self) -> Path | None:
        """The folder of this machine that holds the artifacts, or None."""
        repository = self._repository()
        return None if repository is None else repository.folder

    def _repository(self) -> ArtifactRepository | None:
        # Opened once, so that a missing extra is one warning.
        if self._artifacts is None and not self._without_artifacts:
            try:
                self._artifacts = self.store.artifacts(self.run.artifact_uri)
            except (ProjrunError, OSError) as error:
                self._without_artifacts = True
                later = "" if self.outbox is None else LATER
                self._warn(f"the run's artifacts cannot be stored: {_one_line(error)}{later}")
        return self._artifacts

    def finish(self, end: RunEnd) -> bool:
        """Record the end; False, with a warning, if the store fails."""
        return self._deliver("the run's end", lambda: self._finish(end), _DELIVERY_PAUSES)

    def _finish(self, end: RunEnd) -> None:
        run_id = self.run.run_id
        if end.reason:
            self.store.log_batch(run_id, tags=_tags(end_tags(end)))
        if end.status == "FINISHED":
            self.found = self.store.get_run(run_id)
            if self.found.status in ("FAILED", "KILLED"):  # by the script itself, which exited 0
                self.run = self.found
                return
        # Not before its start, where the clock was set back meanwhile.
        end_time = max(end.end_time, self.run.start_time)
        self.run = self.store.update_run(run_id, status=end.status, end_time=end_time)

    def _deliver(
        self,
        what: str,
        action: Callable[[], object],
        pauses: Sequence[float] = (0.0,),
        hold: Hold | None = None,
    ) -> bool:
        for pause in pauses:
            try:
                if pause:  # sleep(0) yields the processor
                    self.pause(pause)
                action()
            except OverdueError as error:
                self.failure = error
                break  # a signal, or the end of the time for all of it
            except (ProjrunError, OSError) as error:
                self.failure = error
            else:
                return True
        # Without `hold`, the lease keeps it.
        later = self.outbox is not None and not isinstance(self.failure, InvalidValueError)
        if later and hold is not None:
            later = self._hold(what, hold)
        self._warn(f"{what} could not be recorded: {_one_line(self.failure)}{LATER if later else ''}")
        return False

    def _hold(self, what: str, hold: Hold) -> bool:
        """Keep it in the run's folder; False where that cannot be."""
        if self.outbox is None:
            return False
        from projrun.journal.journal import Journal

        try:
            with Journal(self.outbox) as journal:
                hold(journal)
        except (ProjrunError, OSError) as error:  # a full disk
            self._warn(f"{what} cannot be kept in {self.outbox}: {_one_line(error)}")
            return False
        self.waits = True
        return True


def _one_line(error: Exception | None) -> str:
    if isinstance(error, ProjrunError) and error.hint:
        return f"{error.message}; {error.hint}"
    return str(error)


def end_tags(end: RunEnd) -> dict[str, str]:
    """The tags that say why a run did not finish, as any store takes them: a run must end, whatever its reason says."""
    reason = end.reason.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
    if len(reason) > _LONGEST_REASON:
        reason = f"{reason[:_LONGEST_REASON]}…"
    return {**end.tags, "projrun.exit_code": str(end.exit_code), "projrun.reason": reason}


def now() -> int:
    """Milliseconds since the epoch, as MLflow records times."""
    return time.time_ns() // 1_000_000


def _create(store: RunStore, description: RunDescription, lease: Lease | None) -> Run:
    experiment_id = _experiment_id(store, description)
    _note(lease, experiment_id)
    run = store.create_run(
        experiment_id,
        start_time=now(),
        run_name=description.run_name or "",
        user_id=description.tags.get("mlflow.user", ""),
        tags=_tags(description.tags),
        origin_id="" if lease is None else lease.mark.origin_id,
    )
    _note(lease, experiment_id, run)
    return run


def _note(lease: Lease | None, experiment_id: str, run: Run | None = None) -> None:
    if lease is not None:
        mark = lease.mark._replace(experiment_id=experiment_id)
        lease.note(mark if run is None else mark._replace(run_id=run.run_id, run_name=run.run_name))


def _experiment_id(store: RunStore, description: RunDescription) -> str:
    if description.experiment_name is not None:
        return _experiment_by_name(store, description.experiment_name, description.experiment_id)
    experiment_id = description.experiment_id or "0"
    try:
        experiment = store.get_experiment(experiment_id)
    except NotFoundError:
        raise RequestError(
            f"the tracking store {store.uri} has no experiment with the id {experiment_id!r}",
            hint="give --experiment-name: an experiment that does not exist is created",
        ) from None
    if experiment.lifecycle_stage != "active":
        raise RequestError(f"experiment {experiment_id!r} ({experiment.name}) was deleted", hint="restore it")
    return experiment_id


def _experiment_by_name(store: RunStore, name: str, expected: str | None) -> str:
    experiment = store.get_experiment_by_name(name)
    if experiment is not None and expected not in (None, experiment.experiment_id):
        raise RequestError(
            f"MLFLOW_EXPERIMENT_NAME and MLFLOW_EXPERIMENT_ID contradict each other: {name!r} has the id "
            f"{experiment.experiment_id}, not {expected}",
            hint="unset one of them",
        )
    if experiment is None:
        try:
            return store.create_experiment(name)
        except AlreadyExistsError:  # another run made it a moment ago
            experiment = store.get_experiment_by_name(name)
    if experiment is None:
        raise TrackingError(f"the tracking store {store.uri} can neither find nor create experiment {name!r}")
    if experiment.lifecycle_stage != "active":
        raise RequestError(f"experiment {name!r} was deleted", hint="restore it, or choose another name")
    return experiment.experiment_id


def _tags(tags: Mapping[str, str]) -> list[Tag]:
    return [Tag(key, value) for key, value in tags.items() if value]
