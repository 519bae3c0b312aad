"""References to runs and models in what is merged: an id of the run-scoped store becomes the target's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from projrun.tracking.entities import Dataset, Tag

_ID = re.compile(r"(?<![0-9a-zA-Z])(?:m-)?[0-9a-f]{32}(?![0-9a-zA-Z])")


class References:
    """Old ids and new ones. All are 32 random hex digits, so a text that holds one means it."""

    def __init__(self) -> None:
        self.new: dict[str, str] = {}

    def add(self, ids: Mapping[str, str]) -> None:
        """Learn new ids by the old ones."""
        self.new.update(ids)

    def text(self, text: str) -> str:
        """A text as the target has it: `runs:/OLD/model`, `models:/m-OLD`, the id alone, or JSON with ids in it."""
        return _ID.sub(lambda match: self.new.get(match[0], match[0]), text)

    def tag(self, tag: Tag) -> Tag:
        """A tag as the target has it."""
        return Tag(tag.key, self.text(tag.value))

    def dataset(self, dataset: Dataset) -> Dataset:
        """A dataset as the target has it."""
        return dataset._replace(source=self.text(dataset.source), tags=tuple(map(self.tag, dataset.tags)))
