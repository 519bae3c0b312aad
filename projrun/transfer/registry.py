"""Registered models, brought into the target with their versions, numbers, stages and aliases."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from projrun.errors import InvalidValueError, NotFoundError
from projrun.journal import registry
from projrun.journal.references import References
from projrun.tracking.entities import ModelVersion, RegisteredModel
from projrun.tracking.registry import ModelRegistry
from projrun.transfer.runs import tags_of
from projrun.transfer.source import Source

_COPIED = re.compile(r"models:/([^/@]+)/(\d+)")
_LOGGED = re.compile(r"models:/([^/@]+)")
_MOST_GAPS = 1000
"""Numbers of deleted versions that are used up, so that later ones keep their numbers."""


class RegistryTransfer:
    """Brings registered models into a target."""

    def __init__(
        self, source: Source, target: ModelRegistry, references: References, place: Callable[[str], str]
    ) -> None:
        """`place` gives the artifact URI of the target for one of the source."""
        self._source = source
        self._target = target
        self._references = references
        self._place = place
        self._sent: dict[str, dict[str, str]] = {}
        """By model, the numbers of its versions there by those here."""
        self.created = 0
        self.notes: list[str] = []
        self.missing: list[str] = []

    def send(self, own: RegisteredModel) -> None:
        """The model, and what its place does not have."""
        if own.name in self._sent:
            return
        numbers = self._sent[own.name] = {}
        there = registry.registered(self._target, own)
        for tag in tags_of(own.tags, there.tags):
            self._target.set_registered_model_tag(own.name, tag)
        if own.description and not there.description:
            self._target.update_registered_model(own.name, description=own.description)
        last = registry.newest(there)
        for version in self._source.versions(own):
            try:
                found = self._find(there, version, last) or self._create(version, last)
                self._complete(version, found)
            except (InvalidValueError, NotFoundError) as error:
                self.missing.append(f"version {version.version} of model {own.name}: {error.message}")
                continue
            numbers[version.version] = found.version
            last = max(last, int(found.version))
        self._send_aliases(own, there, numbers)

    def _find(self, there: RegisteredModel, version: ModelVersion, last: int) -> ModelVersion | None:
        """Versions keep their numbers, so it is looked for where it was; else among all."""
        origin = registry.origin_of(version)
        if int(version.version) <= registry.newest(there):
            with suppress(NotFoundError):
                found = self._target.get_model_version(version.name, version.version)
                if registry.origin_of(found) == origin:
                    return found
        return registry.find_version(self._target, there, origin, looked_at=last)

    def _create(self, version: ModelVersion, last: int) -> ModelVersion:
        version = version._replace(model_id=version.model_id or _logged_model(version.source))
        number, source = int(version.version), self._copied_from(version.source)
        if last < number - 1 <= last + _MOST_GAPS:
            for _ in range(last + 1, number):  # deleted there, and never used again
                filler = self._target.create_model_version(
                    version.name,
                    source=self._place(self._references.text(source)),
                    run_id=self._references.text(version.run_id),
                    model_id=self._references.text(version.model_id),
                )
                self._target.delete_model_version(version.name, filler.version)
        found = registry.create_version(self._target, version, self._references, self._place, source)
        if found.version != version.version:
            self.notes.append(f"version {number} of model {version.name} is version {found.version} there")
        self.created += 1
        return found

    def _copied_from(self, source: str) -> str:
        """`models:/NAME/NUMBER`, as it is there: that version has to be there first."""
        match = _COPIED.fullmatch(source)
        if match is None:
            return source
        for other in self._source.registered_models() if match[1] not in self._sent else ():
            if other.name == match[1]:
                self.send(other)
        number = self._sent.get(match[1], {}).get(match[2], match[2])
        return f"models:/{match[1]}/{number}"

    def _complete(self, version: ModelVersion, found: ModelVersion) -> None:
        """What creation does not give."""
        if version.current_stage not in (found.current_stage, "None"):
            self._target.transition_model_version_stage(version.name, found.version, version.current_stage)
        if version.status not in (found.status, "READY"):
            self.missing.append(f"version {version.version} of model {version.name}: status {version.status}")

    def _send_aliases(self, own: RegisteredModel, there: RegisteredModel, brought: dict[str, str]) -> None:
        kept = {alias.alias for alias in there.aliases}
        for alias in own.aliases:
            number = brought.get(alias.version)
            if number is None or alias.alias in kept:
                continue
            try:
                self._target.set_registered_model_alias(own.name, alias.alias, number)
            except InvalidValueError as error:
                self.missing.append(f"alias {alias.alias} of model {own.name}: {error.message}")


def _logged_model(source: str) -> str:
    """The logged model that a version is of; MLflow's database has it in the source alone."""
    match = _LOGGED.fullmatch(source)
    return match[1] if match else ""
