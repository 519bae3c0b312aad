"""What was deleted is removed for good: its artifacts first, so that a removal that was cut short is finished later."""

from __future__ import annotations

from contextlib import suppress

from projrun.cli.rendering import print_warning
from projrun.errors import OutOfReachError
from projrun.tracking.artifacts.transfers import delete_artifacts
from projrun.tracking.purge import Deleted, Purge
from projrun.tracking.runs import RunStore


def remove_for_good(store: RunStore, purge: Purge, deleted: Deleted) -> None:
    """Raises NotFoundError where it was restored or removed meanwhile, else TrackingError or OSError."""
    purge.check(deleted)
    for place in deleted.places:
        _remove_artifacts(store, deleted, place)
    purge.remove(deleted)


def _remove_artifacts(store: RunStore, deleted: Deleted, place: str) -> None:
    try:
        repository = store.artifacts(place)
    except OutOfReachError as error:
        print_warning(f"{deleted.words}: its artifacts stay where they are: {error.message}")
        return
    delete_artifacts(repository)
    if repository.folder is not None and repository.folder.parent.name == deleted.id:
        with suppress(OSError):  # other things are in it
            repository.folder.parent.rmdir()
