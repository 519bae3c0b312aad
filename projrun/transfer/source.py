"""`Source`: a store that is read as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Experiment, LoggedModel, Metric, ModelVersion, RegisteredModel, Run


class SourceModel(NamedTuple):
    """A logged model. Its metrics are all that name it, each with its run."""

    model: LoggedModel
    deleted: bool = False


class Source(Protocol):
    """Everything of a store, deleted or not. What cannot be read is reported, and the rest is given."""

    uri: str
    """Where it is, without credentials."""
    skipped: list[str]
    """What could not be read, and why: grows while the store is read."""

    @property
    def notes(self) -> Sequence[str]:
        """What people should know, and no loss."""
        ...

    def experiments(self) -> Iterable[Experiment]: ...
    def runs(self, experiment: Experiment) -> Iterator[Run]:
        """With params, tags, datasets, models, and of each metric one value."""
        ...

    def heads(self, experiment: Experiment) -> Iterator[Run]:
        """The same runs, with tags, and without what else they logged."""
        ...

    def points(self, run: Run) -> Iterator[Metric]:
        """All values of a run, those of one metric after each other; without the models that they name."""
        ...

    def models(self, experiment: Experiment) -> Iterator[SourceModel]: ...
    def registered_models(self) -> Iterator[RegisteredModel]: ...
    def versions(self, model: RegisteredModel) -> Iterator[ModelVersion]:
        """The lowest number first."""
        ...

    def artifacts(self, owner: Run | LoggedModel) -> ArtifactRepository | None:
        """The files of a run or a model; None where there are none. Raises OutOfReachError."""
        ...

    def close(self) -> None: ...
