"""What was deleted in a store: choosing it, and removing it for good with its artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path

from projrun.cache.contents import measure
from projrun.cli.collecting.purging import remove_for_good
from projrun.errors import NotFoundError, RequestError, TrackingError
from projrun.tracking.purge import Deleted, Kind, Purge
from projrun.tracking.runs import RunStore

Named = Mapping[Kind, Set[str]]


def choose(found: Sequence[Deleted], named: Named, before: int) -> list[Deleted]:
    """What is named, else all; with experiments, what is in them.

    Raises RequestError for what is named and was not deleted, or later than `before`.
    """
    known = {(each.kind, each.id): each for each in found}
    keys = [(kind, identifier) for kind, ids in named.items() for identifier in sorted(ids)]
    for kind, identifier in keys:
        if (kind, identifier) not in known:
            raise RequestError(
                f"{kind.replace('_', ' ')} {identifier} is not deleted",
                hint="only what is deleted is removed",
            )
        if known[kind, identifier].deleted_time > before:
            raise RequestError(f"{known[kind, identifier].words} was deleted later than --older-than says")
    wanted = set(keys) or {key for key, each in known.items() if each.deleted_time <= before}
    return [each for each in found if {(each.kind, each.id), ("experiment", each.experiment_id)} & wanted]


def without_active(found: Iterable[Deleted], active: Set[str], warn: Callable[[str], None]) -> list[Deleted]:
    """Without runs that go on, and the experiments that they are in."""
    found = list(found)
    kept = [each for each in found if each.kind == "run" and each.id in active]
    for each in kept:
        warn(f"{each.words} goes on, and is kept: `projrun cancel {each.id}` ends it")
    keys = {("run", each.id) for each in kept} | {("experiment", each.experiment_id) for each in kept}
    return [each for each in found if (each.kind, each.id) not in keys]


def sizes(store: RunStore, deleted: Iterable[Deleted]) -> list[int]:
    """Of each, the bytes that its artifacts take on this machine, and none of those before it."""
    counted = dict[Path, int]()
    """By the folders above: an experiment's holds those of its runs, which go first."""
    found = list[int]()
    for each in deleted:
        size = 0
        for place in each.places:
            folder = _folder(store, place)
            if folder is None:
                continue
            own = measure(folder).size - counted.get(folder, 0)
            for above in folder.parents:
                counted[above] = counted.get(above, 0) + own
            size += own
        found.append(size)
    return found


def _folder(store: RunStore, place: str) -> Path | None:
    try:
        folder = store.artifacts(place).folder
    except (TrackingError, OSError):
        return None
    return folder if folder is not None and folder.is_dir() else None


def remove(store: RunStore, purge: Purge, deleted: Deleted, warn: Callable[[str], None]) -> bool | None:
    """Whether it is gone; None where it was restored or removed meanwhile. Says what went wrong."""
    try:
        remove_for_good(store, purge, deleted)
    except NotFoundError as error:
        warn(error.message)
        return None
    except (TrackingError, OSError) as error:
        warn(f"could not remove {deleted.words}: {error}")
        return False
    return True
