"""Logged models, brought into the target: first their places, so that runs may name them, later what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from projrun.errors import NotFoundError
from projrun.journal import models
from projrun.journal.references import References
from projrun.tracking.entities import LoggedModel
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.origin import ORIGIN_MODEL
from projrun.transfer.source import SourceModel
from projrun.transfer.stores import model_identity


class ModelTransfer:
    """Brings logged models into a target."""

    def __init__(
        self, target: LoggedModels, references: References, copy: Callable[[LoggedModel, str], None]
    ) -> None:
        """`copy` brings a model's files to an artifact URI of the target."""
        self._target = target
        self._references = references
        self._copy = copy
        self._placed: dict[str, LoggedModel] = {}
        self._deleted: list[str] = []
        self.created = 0

    def __contains__(self, model_id: str) -> bool:
        """Whether a model of the source has a place."""
        return model_id in self._placed

    def place(self, own: LoggedModel, experiment_id: str, known: Mapping[str, LoggedModel]) -> LoggedModel:
        """Find or create it; `known` has those of the experiment in the target, which no search finds once deleted."""
        wanted = own._replace(model_id=model_identity(own))
        found = known.get(wanted.model_id) or models.find(self._target, wanted.model_id, experiment_id)
        if found is None:
            found = models.create(self._target, wanted, experiment_id, self._references)
            self.created += 1
        self._references.add({own.model_id: found.model_id})
        self._placed[own.model_id] = found._replace(metrics=())
        return found

    def complete(self, own: SourceModel, *, check: bool) -> None:
        """Files, params, tags, and last the status, which says that all of it is there."""
        model, found = own.model, self._placed[own.model.model_id]
        if own.deleted:
            if not self._is_active(found.model_id):
                return
            self._deleted.append(found.model_id)
        if found.status == "LOGGED_MODEL_PENDING" or check:
            self._copy(model, found.artifact_uri)
        tags = tuple(tag for tag in model.tags if tag.key != ORIGIN_MODEL)
        models.complete(self._target, model._replace(tags=tags), found, self._references, deleted=False)

    def _is_active(self, model_id: str) -> bool:
        try:
            self._target.get_logged_model(model_id)
        except NotFoundError:
            return False
        return True

    def delete(self) -> None:
        """Those that were deleted in the source: until now, versions of registered models could be made of them."""
        for model_id in self._deleted:
            self._target.delete_logged_model(model_id)
