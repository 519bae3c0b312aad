"""`Purge`: runs, logged models and experiments that were deleted are removed for good. Artifacts are the caller's."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, runtime_checkable

Kind = Literal["run", "logged_model", "experiment"]


class Deleted(NamedTuple):
    """What was deleted: by itself, or with the experiment that it is in."""

    kind: Kind
    id: str
    name: str
    deleted_time: int
    """In milliseconds."""
    experiment_id: str
    places: tuple[str, ...]
    """URIs of the artifacts that go with it."""

    @property
    def words(self) -> str:
        """For people: `run abc (…)`."""
        return f"{self.kind.replace('_', ' ')} {self.name} ({self.id})"


@runtime_checkable
class Purge(Protocol):
    """What cannot be undone. A store's own programs do it; MLflow's API has no call for it."""

    def find_deleted(self) -> tuple[Deleted, ...]:
        """All that is deleted, in an order in which it can be removed: experiments after what is in them."""
        ...

    def check(self, deleted: Deleted) -> None:
        """Before its artifacts are removed: raises NotFoundError where it was restored or removed meanwhile."""
        ...

    def remove(self, deleted: Deleted) -> None:
        """With all that the store keeps of it. Raises NotFoundError where it was restored or removed meanwhile."""
        ...
