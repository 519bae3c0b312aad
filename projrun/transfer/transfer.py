"""The transfer: brings a store into another one, exactly once, however often it is broken off and repeated.

First all experiments, runs and models are found or created, so that references among them are known; then values,
files, ends and deletions follow. There is no record of what was done but the target itself: a second transfer finds
there what the first one brought, on whichever machine it runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC, EROFS

from projrun.errors import (
    AlreadyExistsError,
    InvalidValueError,
    NotFoundError,
    OutOfReachError,
    TrackingError,
)
from projrun.journal.places import named_experiment
from projrun.journal.references import References
from projrun.tracking.entities import Experiment, LoggedModel, Metric, Run
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import find_part
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.transfer.files import copy_files
from projrun.transfer.models import ModelTransfer
from projrun.transfer.registry import RegistryTransfer
from projrun.transfer.report import Progress, Transferred
from projrun.transfer.runs import Moment, Place, RunTransfer, named_values, run_name, tags_of
from projrun.transfer.source import Source
from projrun.transfer.stores import StoreSource, all_runs, model_identity, run_identity

_DEFAULT = "0"
"""The experiment of runs that name none: every store needs it."""


class Transfer:
    """From a source to a target."""

    def __init__(
        self,
        source: Source,
        target: RunStore,
        *,
        names: Collection[str] = (),
        artifacts: bool = True,
        check: bool = False,
    ) -> None:
        """All experiments, or those of these names; registered models where all are brought.

        With `check`, the values and files of runs that are there whole are compared as well.
        """
        self._source = source
        self._target = target
        self._names = names
        self._artifacts = artifacts
        self._check = check
        self._references = References()
        kept = find_part(target, LoggedModels)
        self._models = None if kept is None else ModelTransfer(kept, self._references, self._copy)
        self._runs = RunTransfer(target, self._references, self._count_points)
        self._places: dict[str, str] = {}
        """Experiments of the source, and where they belong."""
        self._new: set[str] = set()
        self._uris: dict[str, str] = {}
        """Artifact URIs of the source's runs and models, and those of the target."""
        self.transferred = Transferred(missing=self._runs.missing)
        self.progress: Progress | None = None

    def run(self) -> Transferred:
        """Bring all of it. Raises TrackingError where the target or the source fails: the same again goes on."""
        chosen = self._chosen()
        for experiment in chosen:
            with self._reported(f"experiment {experiment.name}"):
                self._place(experiment)
        placed = [experiment for experiment in chosen if experiment.experiment_id in self._places]
        for experiment in placed:
            self._place_models(experiment)
        for experiment in placed:
            self._fill(experiment)
        if not self._names:
            self._send_registry()
        if self._models is not None:
            self._models.delete()
        for experiment in placed:
            self._delete(experiment)
        return self.transferred

    def _chosen(self) -> list[Experiment]:
        found = [*self._source.experiments()]
        unknown = sorted({*self._names} - {experiment.name for experiment in found})
        if unknown:
            raise InvalidValueError(f"{self._source.uri} has no experiment {unknown[0]!r}")
        return [experiment for experiment in found if not self._names or experiment.name in self._names]

    @contextmanager
    def _reported(self, what: str) -> Iterator[None]:
        """What the target refuses says nothing of the rest."""
        try:
            yield
        except (InvalidValueError, NotFoundError, OutOfReachError) as error:
            self.transferred.missing.append(f"{what}: {error.message}")

    # places

    def _place(self, experiment: Experiment) -> None:
        """Find or create the experiment, and each of its runs."""
        there = self._target.get_experiment_by_name(experiment.name)
        if there is None:
            # The source's own place of artifacts stays the source's.
            number = named_experiment(self._target, experiment._replace(artifact_location=""))
            self.transferred.experiments += 1
        elif there.lifecycle_stage == "deleted" and experiment.lifecycle_stage == "deleted":
            return  # what it holds was brought before it was deleted
        else:
            number = named_experiment(self._target, there)
            for tag in tags_of(experiment.tags, there.tags):
                self._target.set_experiment_tag(number, tag)
        self._places[experiment.experiment_id] = number
        known = {run_identity(run): run.run_id for run in all_runs(self._target, number)}
        for run in self._source.heads(experiment):
            run_id = known.get(run_identity(run)) or self._create(run, number)
            self._references.add({run.run_id: run_id})
            if self.progress is not None:
                self.progress.total += 1
                self.progress.show()

    def _create(self, run: Run, experiment_id: str) -> str:
        origin = run_identity(run)
        try:
            place = self._target.create_run(
                experiment_id,
                run_name=run_name(run),
                user_id=run.user_id,
                start_time=run.start_time,
                origin_id=origin,
            )
        except AlreadyExistsError:  # in another experiment
            return origin
        self._new.add(place.run_id)
        self.transferred.runs += 1
        return place.run_id

    def _place_models(self, experiment: Experiment) -> None:
        """Find or create the logged models."""
        number, known = self._places[experiment.experiment_id], dict[str, LoggedModel]()
        for there in StoreSource(self._target).models(experiment._replace(experiment_id=number)):
            known[model_identity(there.model)] = there.model._replace(metrics=())
            for metric in there.model.metrics:
                moment = (metric.key, metric.timestamp, metric.step)
                self._runs.named.add((there.model.model_id, moment))
        for own in self._source.models(experiment):
            with self._reported(f"model {own.model.model_id}"):
                if self._models is None:
                    raise InvalidValueError("the target keeps no logged models")
                found = self._models.place(own.model, number, known)
                self.transferred.models = self._models.created
                self._note_place(own.model.artifact_uri, found.artifact_uri)

    def _note_place(self, own: str, there: str) -> None:
        self._uris[self._references.text(own)] = there  # the ids in it are the target's

    # contents

    def _fill(self, experiment: Experiment) -> None:
        own_models = self._source.models(experiment)
        self._fill_runs(experiment, named_values(own.model for own in own_models if self._has(own.model)))
        for own in self._source.models(experiment):
            if self._models is not None and self._has(own.model):
                with self._reported(f"model {own.model.model_id}"):
                    self._models.complete(own, check=self._check)

    def _has(self, model: LoggedModel) -> bool:
        return self._models is not None and model.model_id in self._models

    def _fill_runs(self, experiment: Experiment, named: Mapping[str, Mapping[Moment, list[Metric]]]) -> None:
        number = self._places[experiment.experiment_id]
        places = {run.run_id: Place.of(run) for run in all_runs(self._target, number)}
        for run in self._source.runs(experiment):
            run_id = self._references.new.get(run.run_id)
            if run_id is None:  # made since
                continue
            place = places.get(run_id) or Place.of(self._target.get_run(run_id))
            place = place._replace(new=run_id in self._new)
            self._note_place(run.artifact_uri, place.artifact_uri)
            if place.has_all_of(run) and not (self._check and place.lifecycle_stage == "active"):
                self.transferred.found += 1
            else:
                with self._reported(f"run {run.run_id}"):
                    self._send(run, named.get(run.run_id, {}), place)
            if self.progress is not None:
                self.progress.done += 1
                self.progress.show()

    def _send(self, run: Run, named: Mapping[Moment, list[Metric]], place: Place) -> None:
        self._runs.send_values(run, self._source.points(run), named, place)
        self._copy(run, place.artifact_uri)
        self._runs.end(run, place)

    def _copy(self, owner: Run | LoggedModel, uri: str) -> None:
        if not self._artifacts:
            return
        what = f"run {owner.run_id}" if isinstance(owner, Run) else f"model {owner.model_id}"
        with self._reported(f"{what}: its artifacts"):
            source = self._source.artifacts(owner)
            if source is None:
                return
            with _explained(what):
                for size in copy_files(source, self._target.artifacts(uri)):
                    self.transferred.artifacts += 1
                    self.transferred.size += size
                    if self.progress is not None:
                        self.progress.show()

    def _count_points(self, number: int) -> None:
        self.transferred.points += number
        if self.progress is not None:
            self.progress.show()

    # the registry, and the end

    def _send_registry(self) -> None:
        target = find_part(self._target, ModelRegistry)
        if target is None:
            if any(True for _ in self._source.registered_models()):
                self.transferred.missing.append("registered models: the target keeps none")
            return
        registry = RegistryTransfer(self._source, target, self._references, self._place_of)
        for own in self._source.registered_models():
            with self._reported(f"registered model {own.name}"):
                registry.send(own)
        self.transferred.versions = registry.created
        self.transferred.notes += registry.notes
        self.transferred.missing += registry.missing

    def _place_of(self, uri: str) -> str:
        """Where the files of a run or a model are in the target."""
        folder = uri
        while folder:
            if folder in self._uris:
                return self._uris[folder] + uri.removeprefix(folder)
            folder = folder.rpartition("/")[0]
        return uri

    def _delete(self, experiment: Experiment) -> None:
        """Where nothing of anybody else is in it."""
        if experiment.lifecycle_stage != "deleted":
            return
        number, life_cycle = self._places[experiment.experiment_id], find_part(self._target, LifeCycle)
        if life_cycle is None:
            self.transferred.missing.append(
                f"experiment {experiment.name}: that it was deleted; the target deletes none"
            )
        elif number != _DEFAULT and all(
            run.lifecycle_stage == "deleted" for run in all_runs(self._target, number)
        ):
            life_cycle.delete_experiment(number)
        else:
            self.transferred.notes.append(
                f"experiment {experiment.name} stays: it has other runs there, or all need it"
            )


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """A full disk ends the transfer; a file that may not be read, or lies where none may be written, is one file."""
    try:
        yield
    except OSError as error:
        text = f"{error.filename or what}: {error.strerror or type(error).__name__}"
        if error.errno in (ENOSPC, EDQUOT, EROFS):
            raise TrackingError(
                text, hint="free space, then the same command again brings the rest"
            ) from error
        raise OutOfReachError(text) from error
