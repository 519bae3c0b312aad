"""Locks between processes: held, free, and impossible, which is not the same as held."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import nullcontext
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from projrun.cache.entries import ContentCache
from projrun.cache.lease import Lease, Mark
from projrun.cache.locks import NoLocksError, exclusive, is_locked, open_locked

UNSUPPORTED = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


@pytest.fixture(params=UNSUPPORTED, ids=errno.errorcode.__getitem__)
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file system that has no locks answers so: no such one can be mounted here. The words for it."""

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)
    return os.strerror(request.param)


def test_a_file_is_locked_until_it_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    assert not is_locked(file)
    lock = open_locked(file, os.O_RDWR | os.O_CREAT)
    assert lock is not None
    assert is_locked(file)
    assert open_locked(file, os.O_RDWR) is None
    lock.close()
    assert not is_locked(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_who_only_looks_is_taken_for_a_holder_by_nobody(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.touch()
    look = os.open(file, os.O_RDONLY)
    fcntl.flock(look, fcntl.LOCK_SH)  # as `is_locked` does, for a moment
    assert not is_locked(file)
    assert open_locked(file, os.O_RDWR) is None
    Timer(0.02, os.close, [look]).start()
    lock = open_locked(file, os.O_RDWR, 20.0)
    assert lock is not None
    lock.close()


def test_who_waits_says_so_and_is_next(tmp_path: Path) -> None:
    file, waits = tmp_path / "lock", Event()
    entered: list[str] = []

    def second() -> None:
        with exclusive(file, lambda: waits.set() or nullcontext()):  # type: ignore[func-returns-value]
            entered.append("second")

    thread = Thread(target=second)
    with exclusive(file):
        thread.start()
        assert waits.wait(60)
        entered.append("first")
    thread.join(20)
    assert entered == ["first", "second"]


@pytest.mark.usefixtures("without_locks")
def test_what_cannot_be_locked_is_held_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    assert not is_locked(tmp_path / "lock")


def test_an_impossible_lock_names_the_file_system(tmp_path: Path, without_locks: str) -> None:
    said = rf"files cannot be locked on its file system \(\w+\): {without_locks}"
    with pytest.raises(NoLocksError, match=said), exclusive(tmp_path / "lock"):
        pytest.fail("nothing holds it")
    with pytest.raises(NoLocksError, match=said):
        open_locked(tmp_path / "lock", os.O_RDWR)
    with pytest.raises(NoLocksError, match=said):
        Lease(tmp_path / "run", Mark("r1", "store"))
    with pytest.raises(NoLocksError, match=said):
        ContentCache(tmp_path / "cache").get_or_build("0" * 16, Path.rmdir)


@pytest.mark.usefixtures("without_locks")
def test_an_impossible_lock_leaves_no_open_file(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(NoLocksError):
            open_locked(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    assert len(list(Path("/dev/fd").iterdir())) == before
