"""One writer at a time in a mirror; a git process that outlives its runner still counts as the writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from projrun.cache.locks import exclusive
from projrun.directories import make_private

Waiting = Callable[[], AbstractContextManager[object]]


def lock_file_of(folder: Path) -> Path:
    """The file beside what the cache keeps of a repository that its writer locks."""
    return folder.with_name(f"{folder.name}.lock")


@contextmanager
def mirror_lock(folder: Path, waiting: Waiting) -> Iterator[tuple[int, ...]]:
    """Lock what the cache keeps of a repository (`Remote.folder`).

    Gives the descriptors for `Git(kept_open=...)`: if a runner is killed, its git has ended before others get
    the lock. `waiting` surrounds the time in which another process has it. Raises OSError.
    """
    file = lock_file_of(folder)
    make_private(file.parent)
    with exclusive(file, waiting) as descriptor:
        yield (descriptor,)
