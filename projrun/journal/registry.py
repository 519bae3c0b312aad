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
            there = registered(self._target, self._own.get_registered_model(name))
            found = find_version(self._target, there, origin_of(version))
            found = found or create_version(self._target, version, self._references, self._place)
            self._journal.set_model_target(key, found.version)


def registered(target: ModelRegistry, own: RegisteredModel) -> RegisteredModel:
    """The model of that name in the target, created if needed."""
    try:
        return target.get_registered_model(own.name)
    except NotFoundError:
        pass
    try:
        return target.create_registered_model(own.name, description=own.description, tags=own.tags)
    except AlreadyExistsError:  # made a moment ago, by another run
        return target.get_registered_model(own.name)


def newest(model: RegisteredModel) -> int:
    """The number of the newest version; 0 where there is none."""
    return max((int(version.version) for version in model.latest_versions), default=0)


def find_version(
    target: ModelRegistry, model: RegisteredModel, origin: str, looked_at: int = _LOOKED_AT
) -> ModelVersion | None:
    """The version that was created for the one of that origin."""
    last = newest(model)
    for number in range(last, max(0, last - looked_at), -1):
        try:
            version = target.get_model_version(model.name, str(number))
        except NotFoundError:  # deleted
            continue
        if origin_of(version) == origin:
            return version
    return None


def origin_of(version: ModelVersion) -> str:
    """The source is an id, or below one: no other store has it. A version that was brought keeps its first origin."""
    brought = next((tag.value for tag in version.tags if tag.key == ORIGIN_VERSION), "")
    return brought or f"{version.source}#{version.version}"


def create_version(
    target: ModelRegistry,
    version: ModelVersion,
    references: References,
    place: Callable[[str], str],
    source: str = "",
) -> ModelVersion:
    """The next version in the target. `place` gives its artifact URI for one of the version's store, or of `source`."""
    tags = [references.tag(tag) for tag in version.tags if tag.key != ORIGIN_VERSION]
    return target.create_model_version(
        version.name,
        source=place(references.text(source or version.source)),
        run_id=references.text(version.run_id),
        description=version.description,
        model_id=references.text(version.model_id),
        run_link=references.text(version.run_link),
        tags=[*tags, Tag(ORIGIN_VERSION, origin_of(version))],
        user_id=version.user_id,
    )
