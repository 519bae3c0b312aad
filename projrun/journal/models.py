"""Logged models of a run-scoped store, brought into the target: found or created once, then completed."""

from __future__ import annotations

from collections.abc import Callable

from projrun.errors import InvalidValueError, NotFoundError
from projrun.journal.journal import Journal
from projrun.journal.references import References
from projrun.tracking.entities import LoggedModel
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.origin import ORIGIN_MODEL
from projrun.tracking.parts import part_of


class ModelSender:
    """Sends the logged models of a journal."""

    def __init__(self, journal: Journal, target: LoggedModels, references: References) -> None:
        self._journal = journal
        self._target = target
        self._references = references
        self.placed: list[tuple[LoggedModel, LoggedModel]] = []
        """Those of the journal, and those of the target."""

    def place(self, experiment: Callable[[str], str]) -> None:
        """Find or create each; `experiment` gives an experiment's id in the target."""
        known, own = self._journal.model_targets(), part_of(self._journal.store, LoggedModels)
        for model_id in self._journal.model_ids():
            model = own.get_logged_model(model_id, allow_deleted=True)
            if model_id in known:
                found = self._target.get_logged_model(known[model_id], allow_deleted=True)
            else:
                place = experiment(model.experiment_id)
                found = find(self._target, model_id, place) or create(
                    self._target, model, place, self._references
                )
                self._journal.set_model_target(model_id, found.model_id)
            self._references.add({model_id: found.model_id})
            self.placed.append((model, found))

    def complete(self) -> None:
        """Send params, tags and the status of those that differ: all of it may be sent twice."""
        deleted = self._journal.deleted_model_ids()
        for model, found in self.placed:
            complete(self._target, model, found, self._references, deleted=model.model_id in deleted)


def find(target: LoggedModels, model_id: str, experiment_id: str) -> LoggedModel | None:
    """The model that was created for it before."""
    try:
        return target.get_logged_model(model_id, allow_deleted=True)  # stores of ours keep the id
    except (NotFoundError, InvalidValueError):
        found = target.search_logged_models(
            [experiment_id], filter_string=f"tags.`{ORIGIN_MODEL}` = '{model_id}'", max_results=1
        )
    return found.models[0] if found.models else None


def create(
    target: LoggedModels, model: LoggedModel, experiment_id: str, references: References
) -> LoggedModel:
    """A new model, which is found by its origin."""
    return target.create_logged_model(
        experiment_id,
        name=model.name,
        model_type=model.model_type,
        source_run_id=references.text(model.source_run_id),
        origin_id=model.model_id,
    )


def complete(
    target: LoggedModels, model: LoggedModel, found: LoggedModel, references: References, *, deleted: bool
) -> None:
    """Send what the model of the target does not have: params, tags, the status, the deletion."""
    tags = [tag for tag in map(references.tag, model.tags) if tag not in found.tags]
    params = [param for param in model.params if param not in found.params]
    if params:
        target.log_logged_model_params(found.model_id, params)
    if tags:
        target.set_logged_model_tags(found.model_id, tags)
    if model.status not in (found.status, "LOGGED_MODEL_PENDING"):
        target.finalize_logged_model(found.model_id, model.status)
    if deleted:
        target.delete_logged_model(found.model_id)
