"""The one content-addressed cache, for whatever is costly to build and named by its content.

`ROOT/KEY/GENERATION` is an entry, built in place (virtual environments cannot be moved), and
`GENERATION.complete` beside it, written last, is what makes it exist. A rebuild makes a new generation,
so that a run which still uses the old one is not disturbed.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from projrun.cache.locks import exclusive, is_locked, open_locked, try_lock
from projrun.cache.ownership import foreign_reason, make_private
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO, Literal

    State = Literal["ready", "broken", "building", "unfinished"]

DESCRIPTION = "description.json"
"""The file of an entry that says what it is, for people."""

Facts = Mapping[str, str | tuple[str, ...]]
"""What an entry is and what it was built from, for `projrun envs`. Holds no credentials."""


_MARKER_SUFFIX = ".complete"
_REMOVED_SUFFIX = ".removed"
_KEY = r"[0-9a-f]{16,64}"
_GENERATION = r"\d{4}-[0-9a-f]{6}"
_LAST_USED_STEP = 60.0
"""Seconds: how exact "last used" is, which is the marker's modification time."""

_held: dict[str, int] = {}
"""The markers that this process keeps locked, by path: what it uses is not removed by others."""


class Entry(NamedTuple):
    """One generation of a key's entry."""

    key: str
    path: Path
    state: State
    """`broken` lacks its probe, `unfinished` is what a killed builder left: neither is ever used."""
    last_used: float
    """Seconds since the epoch, exact to a minute."""


class ContentCache:
    """A folder of entries, each under the key of its content; safe for many processes at once."""

    def __init__(self, root: Path, *, probe: str = "") -> None:
        """`probe` is a path inside every good entry: if it is missing, the entry is built again."""
        self.root = root
        self._probe = probe

    def folder(self, key: str) -> Path:
        """The folder of a key, which may not exist."""
        return self.root / key

    def find(self, key: str) -> Path | None:
        """The newest complete entry of a key, or None; reads one folder and changes nothing."""
        for marker in self._markers(key):
            entry = marker.with_suffix("")
            if (entry / self._probe).exists():
                return entry
        return None

    def get_or_build(
        self,
        key: str,
        build: Callable[[Path], None],
        *,
        rebuild: bool = False,
        waiting: Callable[[], None] | None = None,
        facts: Facts | None = None,
    ) -> tuple[Path, bool]:
        """The entry, and whether this call built it. It stays until this process ends.

        `build` fills the empty folder it is given; whatever it raises leaves nothing behind. `waiting` is
        called once where another process builds the same entry; `facts` are kept with what is built. Raises
        OSError where the folder is not writable, or others may have put something there.
        """
        self._check_owned()
        before = self.find(key) if rebuild else None
        found = None if rebuild else self._use(key)
        if found is not None:
            return found, False
        with self._lock(key, waiting):
            # Not used yet where a rebuild goes on: what this process uses is not removed after it.
            if before is None or self.find(key) != before:
                found = self._use(key)  # another process built it while this one waited
            return (found, False) if found else (self._build(key, build, facts or {}), True)

    def entries(self) -> list[Entry]:
        """Every generation of every key, whole or not; changes nothing. Raises OSError for what cannot be read."""
        keys = [folder.name for folder in _subfolders(self.root)]
        return [entry for key in sorted(keys) for entry in self._generations(key)]

    def remove(self, entry: Entry, first: Callable[[], bool] = lambda: True) -> bool:
        """Remove one generation; False where a process uses it, builds it, or it cannot be removed.

        `first` is called while nothing can begin to use it, and says whether to go on.
        """
        try:
            lock = self._try_lock(entry.key)
            if lock is None:
                return False
            with lock:
                return self._remove(entry, first)
        except OSError:
            return False

    def sweep(self) -> None:
        """Remove what interrupted removals and failed builds left, and the folders of keys without a generation."""
        for folder in _subfolders(self.root):
            if not re.fullmatch(_KEY, folder.name):
                continue
            if self._generations(folder.name) and not _half_removed(folder):
                continue
            with suppress(OSError):
                self._sweep_key(folder)

    def _sweep_key(self, folder: Path) -> None:
        lock = self._try_lock(folder.name)
        if lock is None:
            return
        with lock:
            for left in _half_removed(folder):
                _remove_tree(left)
            if not self._generations(folder.name):
                _remove_tree(folder)

    def _remove(self, entry: Entry, first: Callable[[], bool]) -> bool:
        marker = _marker(entry.path)
        if marker.exists() and not _remove_unless_held(marker, first):
            return False
        gone = _remove_generation(entry.path)
        if not self._generations(entry.key):
            _remove_tree(self.folder(entry.key))
        return gone

    def _generations(self, key: str) -> list[Entry]:
        paths = [path for path in _subfolders(self.folder(key)) if re.fullmatch(_GENERATION, path.name)]
        return [Entry(key, path, self._state(key, path), _last_used(path)) for path in sorted(paths)]

    def _state(self, key: str, path: Path) -> State:
        if _marker(path).exists():
            probe = str(describe(path).get("probe", self._probe))
            return "ready" if (path / probe).exists() else "broken"
        return "building" if is_locked(self._lock_file(key)) else "unfinished"

    def _try_lock(self, key: str) -> IO[str] | None:
        return open_locked(self._lock_file(key), os.O_RDWR | os.O_CREAT)

    def _lock_file(self, key: str) -> Path:
        return self.root / f"{key}.lock"

    def _describe(self, entry: Path, facts: Facts) -> None:
        document = {**facts, "created": int(time.time()), "probe": self._probe}
        (entry / DESCRIPTION).write_text(json.dumps(document, indent=2), encoding="utf-8")

    def _build(self, key: str, build: Callable[[Path], None], facts: Facts) -> Path:
        self._remove_unfinished(key)
        entry = self.folder(key) / self._next_generation(key)
        try:
            make_private(entry)
            build(entry)
            self._describe(entry, facts)
            _write_marker(_marker(entry))
        except BaseException:
            # The marker first: it may be there already when an interrupt comes at the very end.
            _marker(entry).unlink(missing_ok=True)
            _remove_generation(entry)
            raise
        _hold(_marker(entry))
        self._remove_superseded(key, entry)
        return entry

    def _check_owned(self) -> None:
        reason = foreign_reason(self.root)
        if reason is not None:  # what an entry holds is run
            raise PermissionError(errno.EPERM, reason)

    def _use(self, key: str) -> Path | None:
        entry = self.find(key)
        if entry is None or not _hold(_marker(entry)):
            return None
        _touch(_marker(entry))
        return entry

    def _markers(self, key: str) -> list[Path]:
        folder = self.folder(key)
        try:
            names = [path.name for path in folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [folder / name for name in sorted(names, reverse=True) if name.endswith(_MARKER_SUFFIX)]

    def _next_generation(self, key: str) -> str:
        markers = self._markers(key)
        newest = int(markers[0].name.partition("-")[0]) if markers else 0
        # Never a name that was used before: a killed builder's child may still be writing into its folder.
        return f"{newest + 1:04d}-{os.urandom(3).hex()}"

    def _remove_unfinished(self, key: str) -> None:
        complete = {marker.with_suffix("").name for marker in self._markers(key)}
        for entry in _subfolders(self.folder(key)):
            if entry.name not in complete:
                _remove_generation(entry)

    def _remove_superseded(self, key: str, newest: Path) -> None:
        for marker in self._markers(key):
            if marker != _marker(newest) and _remove_unless_held(marker):
                _remove_generation(marker.with_suffix(""))

    @contextmanager
    def _lock(self, key: str, waiting: Callable[[], None] | None) -> Iterator[None]:
        def say_so() -> AbstractContextManager[object]:
            if waiting is not None:
                waiting()
            return nullcontext()

        make_private(self.root)
        make_private(self.folder(key))
        with exclusive(self._lock_file(key), say_so):
            yield


def _marker(entry: Path) -> Path:
    return entry.with_name(entry.name + _MARKER_SUFFIX)


def _write_marker(marker: Path) -> None:
    descriptor = os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _touch(marker: Path) -> None:
    try:
        if time.time() - marker.stat().st_mtime > _LAST_USED_STEP:
            os.utime(marker)
    except OSError:
        pass  # another user's cache can still be read


def describe(entry: Path) -> dict[str, object]:
    """The facts that an entry was built with, and when; empty where nothing is known."""
    try:
        document = json.loads((entry / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def is_in_use(entry: Path) -> bool:
    """Whether a process, this one included, keeps the entry from being removed."""
    marker = _marker(entry)
    if str(marker) in _held:
        return True
    try:
        descriptor = os.open(marker, os.O_RDWR)
    except OSError:
        return False
    try:
        return not try_lock(descriptor, marker)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _hold(marker: Path) -> bool:
    """Lock the marker for as long as this process lives; False where it was removed."""
    name = str(marker)
    if name in _held:
        return True
    try:
        descriptor = os.open(marker, os.O_RDONLY)
    except FileNotFoundError:
        return False
    with suppress(OSError):  # a file system without locks
        # Waits only for a look or an unlink: no process keeps the exclusive lock.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    if os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return False
    _held[name] = descriptor
    return True


def _remove_unless_held(marker: Path, first: Callable[[], bool] = lambda: True) -> bool:
    try:
        descriptor = os.open(marker, os.O_RDWR)  # NFS gives an exclusive lock only to writers
    except OSError:
        return False
    try:
        if not try_lock(descriptor, marker) or not first():
            return False
        marker.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _last_used(entry: Path) -> float:
    for path in (_marker(entry), entry):
        try:
            return path.stat().st_mtime
        except FileNotFoundError:
            continue
    return 0.0


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _half_removed(folder: Path) -> list[Path]:
    return [path for path in _subfolders(folder) if path.name.endswith(_REMOVED_SUFFIX)]


def _remove_generation(path: Path) -> bool:
    """Remove it, in one step for whoever still works in it; whether it is gone.

    A Python whose `pyvenv.cfg` is gone first is the one that it was made from: an installer that a killed builder left
    would write there.
    """
    hidden = path.with_name(f"{path.name}{_REMOVED_SUFFIX}")
    try:
        path.rename(hidden)
    except OSError:
        hidden = path
    _remove_tree(hidden)
    return not hidden.exists()


def _remove_tree(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
