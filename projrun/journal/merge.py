"""The merge: brings a run-scoped store into any store, exactly once, however often it is broken off and repeated.

First all runs are found or created, so that references among them are known; then models, values and files follow.
Each step notes what the target has acknowledged, so the next merge goes on where this one ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError, ProjrunError, TrackingError
from projrun.journal.batches import RunSender
from projrun.journal.files import FileSender
from projrun.journal.journal import Held, Journal
from projrun.journal.places import find_experiment, find_or_create
from projrun.journal.references import References
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import LoggedModel, Run
from projrun.tracking.runs import RunStore
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.journal.models import ModelSender

Progress = Callable[[str, float], None]
"""Takes what is being sent, and the share of all that is done: between 0 and 1."""


class Merged(NamedTuple):
    """What a merge did."""

    run_ids: dict[str, str]
    """The ids in the target, by those of the run-scoped store."""
    params: int = 0
    metrics: int = 0
    tags: int = 0
    artifacts: int = 0
    size: int = 0
    """Bytes of artifacts."""
    refused: tuple[str, ...] = ()
    """What the target will never take, and why."""
    reason: str = ""
    """Why something still waits; empty where all is delivered."""
    away: bool = False
    """Whether the target is out of reach, for other runs as well."""

    @property
    def complete(self) -> bool:
        """Whether nothing waits."""
        return not self.reason


_ANSWERS = (NotFoundError, AlreadyExistsError, InvalidValueError)


class OutOfTimeError(ProjrunError):
    """The merge had no more time."""


def merge(
    journal: Journal,
    target: RunStore,
    *,
    until: float | None = None,
    largest: int | None = None,
    progress: Progress | None = None,
    values_only: bool = False,
) -> Merged:
    """Bring what waits in the journal into the target; never raises for a target that fails.

    `until` is a time of `time.monotonic` at which nothing more is begun; files of more than `largest` bytes wait. With
    `values_only`, no files are sent.
    """
    work = _Merge(journal, target, until, progress)
    reason, away = "", False
    try:
        work.place_runs()
        work.place_models()
        work.send_values()
        if not values_only:
            work.send_files(largest)
            work.complete_models()
            work.send_registry()
            work.delete_runs()
    except ProjrunError as error:
        # What a store says of one value or one experiment says nothing of the other runs.
        away = isinstance(error, TrackingError) and not isinstance(error, _ANSWERS)
        reason = error.message
    except OSError as error:
        reason = error.strerror or type(error).__name__
    return work.result(reason)._replace(away=away)


class _Merge:
    def __init__(
        self, journal: Journal, target: RunStore, until: float | None, progress: Progress | None
    ) -> None:
        self._journal = journal
        self._target = target
        self._until = until
        self._progress = progress or (lambda text, share: None)
        self._references = References()
        self._placed: list[tuple[Held, Run]] = []
        self._senders: list[RunSender] = []
        self._refused: list[str] = []
        self._experiments: dict[str, str] = {}
        self._models: ModelSender | None = None
        self._files = self._bytes = 0

    def place_runs(self) -> None:
        """Find or create every run in the target."""
        for held in self._journal.held():
            self._check_time()
            place = self._find(held)
            if place is None:
                continue
            self._references.add({held.run.run_id: place.run_id})
            self._placed.append((held._replace(target=place.run_id), place))

    def _find(self, held: Held) -> Run | None:
        run = held.run
        try:
            place = self._target.get_run(held.target) if held.target else self._create(run)
        except NotFoundError:
            if not held.target:
                raise
            place = None
        if place is None or (place.lifecycle_stage != "active" and run.lifecycle_stage == "active"):
            self._refused.append(f"run {held.target or run.run_id} was deleted in {self._target.uri}")
            self._journal.drop(held)
            return None
        if not held.target:
            self._journal.set_target(held, place.run_id)
        return place

    def _create(self, run: Run) -> Run:
        return find_or_create(self._target, self._experiment(run.experiment_id), run)

    def _experiment(self, experiment_id: str) -> str:
        if experiment_id not in self._experiments:
            own = self._journal.store.get_experiment(experiment_id)
            self._experiments[experiment_id] = find_experiment(self._target, own)
        return self._experiments[experiment_id]

    def place_models(self) -> None:
        """Find or create every logged model in the target."""
        if not self._journal.model_ids():
            return
        from projrun.journal.models import ModelSender
        from projrun.tracking.logged_models import LoggedModels
        from projrun.tracking.parts import find_part

        target = find_part(self._target, LoggedModels)
        if target is None:
            self._refused.append(f"the logged models: {self._target.uri} keeps none")
        else:
            self._models = ModelSender(self._journal, target, self._references)
            self._models.place(self._experiment)

    def complete_models(self) -> None:
        """Send what is known of the models, once their files are there."""
        if self._models is not None:
            self._models.complete()

    def send_registry(self) -> None:
        """Register in the target what was registered here."""
        if not self._journal.model_versions():
            return
        from projrun.journal.registry import RegistrySender
        from projrun.tracking.parts import find_part
        from projrun.tracking.registry import ModelRegistry

        target = find_part(self._target, ModelRegistry)
        if target is None:
            self._refused.append(f"the registered models: {self._target.uri} keeps none")
        else:
            RegistrySender(self._journal, target, self._references, self._place_of).send()

    def delete_runs(self) -> None:
        """Delete in the target the runs that were deleted here."""
        deleted = [place.run_id for held, place in self._placed if held.run.lifecycle_stage == "deleted"]
        if not deleted:
            return
        from projrun.tracking.life_cycle import LifeCycle
        from projrun.tracking.parts import find_part

        target = find_part(self._target, LifeCycle)
        for run_id in deleted:
            if target is None:
                self._refused.append(f"the deletion of run {run_id}: {self._target.uri} deletes none")
            else:
                target.delete_run(run_id)

    def _place_of(self, uri: str) -> str:
        """Where the files of a run or a model are in the target."""
        pairs = [(held.run.artifact_uri, place.artifact_uri) for held, place in self._placed]
        pairs += [(own.artifact_uri, there.artifact_uri) for own, there in self._placed_models()]
        for own, there in pairs:
            folder = self._references.text(own)  # the ids in it are the target's by now
            if uri == folder or uri.startswith(f"{folder}/"):
                return there + uri.removeprefix(folder)
        return uri

    def _placed_models(self) -> list[tuple[LoggedModel, LoggedModel]]:
        return self._models.placed if self._models else []

    def send_values(self) -> None:
        """Send params, metrics, tags, states and inputs of every run."""
        total = max(1, self._journal.count())
        for held, _ in self._placed:
            sender = RunSender(self._journal, held, self._target, self._references)
            self._senders.append(sender)
            while True:
                self._check_time()
                if not sender.send_batch():
                    break
                self._progress("values", 1 - self._journal.count() / total)

    def send_files(self, largest: int | None) -> None:
        """Send every file that the target does not have."""
        sizes = {place: self._journal.file_state(place)[0] for place in self._journal.waiting_files()}
        fitting = {place: size for place, size in sizes.items() if largest is None or size <= largest}
        total, done = sum(fitting.values()) or 1, 0
        sender = FileSender(self._journal, dict(self._roots()))
        for place, size in fitting.items():
            self._check_time()
            self._progress(place.rpartition("/")[2], done / total)
            self._bytes += sender.send(place)
            self._files += 1
            done += size
        self._progress("", 1.0)
        if len(fitting) < len(sizes):
            raise OutOfTimeError("large files wait")

    def _roots(self) -> Iterator[tuple[str, Callable[[], ArtifactRepository]]]:
        for held, place in self._placed:
            yield self._journal.folder_of(held.run.artifact_uri), self._opening(place.artifact_uri)
        for model, found in self._placed_models():
            yield self._journal.folder_of(model.artifact_uri), self._opening(found.artifact_uri)

    def _opening(self, uri: str) -> Callable[[], ArtifactRepository]:
        return lambda: self._target.artifacts(uri)

    def _check_time(self) -> None:
        if self._until is not None and time.monotonic() >= self._until:
            raise OutOfTimeError("there was not enough time")

    def result(self, reason: str) -> Merged:
        """What was done."""
        counts = [sender.counts for sender in self._senders]
        return Merged(
            run_ids={held.run.run_id: place.run_id for held, place in self._placed},
            params=sum(count["param"] for count in counts),
            metrics=sum(count["metric"] for count in counts),
            tags=sum(count["tag"] for count in counts),
            artifacts=self._files,
            size=self._bytes,
            refused=(*self._refused, *(text for sender in self._senders for text in sender.refused)),
            reason=reason,
        )
