"""Registered models of a run-scoped store, brought into the target: a version there for each version here, once."""

from __future__ import annotations

from collections.abc import Callable

from projrun.errors import AlreadyExistsError, NotFoundError
from projrun.journal.journal import Journal
from projrun.journal.references import References
from projrun.tracking.entities import ModelVersion, RegisteredModel, Tag
from projrun.tracking.origin import ORIGIN_VERSION
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry

_LOOKED_AT = 100
"""The newest versions of a model in the target among which one is looked for that was created without an answer."""


class RegistrySender:
    """Sends the registered models of a journal."""

    def __init__(
        self, journal: Journal, target: ModelRegistry, references: References, place: Callable[[str], str]
    ) -> None:
        """`place` gives the artifact URI of the target for one of the journal."""
        self._journal = journal
        self._own = part_of(journal.store, ModelRegistry)
        self._target = target
        self._references = references
        self._place = place

    def send(self) -> None:
        """Create what the target does not have."""
        done = self._journal.model_targets()
        for name, number in self._journal.model_versions():
            key = f"{name}/{number}"
            if key in done:
                continue
            version = self._own.get_model_version(name, number)
            there = self._registered(name)
            # The source is an id, or below one: no other run-scoped store has it.
            origin = f"{version.source}#{number}"
            found = self._found(there, origin) or self._create(version, origin)
            self._journal.set_model_target(key, found.version)

    def _registered(self, name: str) -> RegisteredModel:
        try:
            return self._target.get_registered_model(name)
        except NotFoundError:
            own = self._own.get_registered_model(name)
        try:
            return self._target.create_registered_model(name, description=own.description, tags=own.tags)
        except AlreadyExistsError:  # made a moment ago, by another run
            return self._target.get_registered_model(name)

    def _found(self, model: RegisteredModel, origin: str) -> ModelVersion | None:
        newest = max((int(version.version) for version in model.latest_versions), default=0)
        for number in range(newest, max(0, newest - _LOOKED_AT), -1):
            try:
                version = self._target.get_model_version(model.name, str(number))
            except NotFoundError:  # deleted
                continue
            if any(tag.key == ORIGIN_VERSION and tag.value == origin for tag in version.tags):
                return version
        return None

    def _create(self, version: ModelVersion, origin: str) -> ModelVersion:
        return self._target.create_model_version(
            version.name,
            source=self._place(self._references.text(version.source)),
            run_id=self._references.text(version.run_id),
            description=version.description,
            model_id=self._references.text(version.model_id),
            run_link=self._references.text(version.run_link),
            tags=[*map(self._references.tag, version.tags), Tag(ORIGIN_VERSION, origin)],
        )
