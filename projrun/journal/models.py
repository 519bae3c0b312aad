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
                found = self._find_or_create(model, experiment(model.experiment_id))
                self._journal.set_model_target(model_id, found.model_id)
            self._references.add({model_id: found.model_id})
            self.placed.append((model, found))

    def _find_or_create(self, model: LoggedModel, experiment_id: str) -> LoggedModel:
        return self._find(model, experiment_id) or self._target.create_logged_model(
            experiment_id,
            name=model.name,
            model_type=model.model_type,
            source_run_id=self._references.text(model.source_run_id),
            origin_id=model.model_id,
        )

    def _find(self, model: LoggedModel, experiment_id: str) -> LoggedModel | None:
        try:
            return self._target.get_logged_model(
                model.model_id, allow_deleted=True
            )  # stores of ours keep the id
        except (NotFoundError, InvalidValueError):
            found = self._target.search_logged_models(
                [experiment_id], filter_string=f"tags.`{ORIGIN_MODEL}` = '{model.model_id}'", max_results=1
            )
        return found.models[0] if found.models else None

    def complete(self) -> None:
        """Send params, tags and the status of those that differ: all of it may be sent twice."""
        deleted = self._journal.deleted_model_ids()
        for model, found in self.placed:
            tags = [tag for tag in map(self._references.tag, model.tags) if tag not in found.tags]
            params = [param for param in model.params if param not in found.params]
            if params:
                self._target.log_logged_model_params(found.model_id, params)
            if tags:
                self._target.set_logged_model_tags(found.model_id, tags)
            if model.status not in (found.status, "LOGGED_MODEL_PENDING"):
                self._target.finalize_logged_model(found.model_id, model.status)
            if model.model_id in deleted:
                self._target.delete_logged_model(found.model_id)
