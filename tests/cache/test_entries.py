"""The content-addressed cache: built once, never half, never taken from under a process that uses it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from projrun.cache import entries
from projrun.cache.entries import ContentCache
from projrun.cache.locks import exclusive
from tests.support.commands import start_python
from tests.support.warm import Started

# Appends a line to a file for each build; argv: root, log, seconds that a build takes.
BUILDER = """
import sys, time
from pathlib import Path
from projrun.cache.entries import ContentCache
from projrun.cache.locks import exclusive

root, log, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

def build(entry):
    (entry / "half").write_text("")
    with log.open("a") as stream:
        stream.write("built\\n")
    time.sleep(seconds)
    (entry / "whole").write_text("")

entry, built = ContentCache(root).get_or_build("key", build, rebuild="rebuild" in sys.argv)
assert (entry / "whole").exists()
print(entry, built, flush=True)
if "stay" in sys.argv:
    log.with_name("stays").touch()
    while not log.with_name("leave").exists():
        time.sleep(0.01)
"""


def start(root: Path, log: Path, seconds: float, *words: str) -> Started:
    return start_python(BUILDER, root, log, str(seconds), *words)


def answer(builder: Started) -> list[str]:
    """The entry that it got, and whether it built it."""
    ended = builder.end(timeout=60)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode().split()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in 20 seconds"
        time.sleep(0.01)


def generations(root: Path) -> list[Path]:
    return sorted(path for path in (root / "key").iterdir() if path.is_dir())


def make_whole(entry: Path) -> None:
    (entry / "whole").write_text("")


def refuse(entry: Path) -> None:
    raise AssertionError(f"{entry} must not be built")


def test_an_entry_is_built_once_and_found_again(tmp_path: Path) -> None:
    cache = ContentCache(tmp_path / "cache")
    assert cache.find("key") is None
    entry, built = cache.get_or_build("key", make_whole)
    assert built
    assert (entry / "whole").exists()
    assert cache.find("key") == entry
    assert cache.get_or_build("key", refuse) == (entry, False)
    assert cache.find("another") is None


def test_folders_are_private(tmp_path: Path) -> None:
    cache = ContentCache(tmp_path / "cache")
    entry, _ = cache.get_or_build("key", make_whole)
    for folder in (cache.root, entry.parent, entry):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_build_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    cache = ContentCache(tmp_path)

    def fail(entry: Path) -> None:
        (entry / "half").write_text("")
        raise error

    with pytest.raises(error):
        cache.get_or_build("key", fail)
    assert cache.find("key") is None
    assert generations(tmp_path) == []
    assert cache.get_or_build("key", make_whole)[1]


def test_an_interrupt_at_the_very_end_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    cache = ContentCache(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.get_or_build("key", make_whole)
    assert list((tmp_path / "key").iterdir()) == []


@pytest.mark.processes
def test_a_killed_build_is_never_used_and_built_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    builder = start(tmp_path / "cache", log, 60)
    wait_for(log.exists)
    builder.send_signal(signal.SIGKILL)
    builder.end()
    cache = ContentCache(tmp_path / "cache")
    (left,) = generations(cache.root)
    assert cache.find("key") is None
    entry, built = cache.get_or_build("key", make_whole)
    assert built
    assert generations(cache.root) == [entry]
    assert entry.name != left.name, "a child of the killed builder may still write into its folder"


@pytest.mark.processes
def test_eight_processes_build_it_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    builders = [start(tmp_path / "cache", log, 0.3) for _ in range(8)]
    answers = [answer(builder) for builder in builders]
    assert log.read_text().count("built") == 1
    assert sorted(built for _, built in answers) == ["False"] * 7 + ["True"]
    assert len({entry for entry, _ in answers}) == 1


@pytest.mark.processes
def test_whoever_waits_is_told_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    builder = start(tmp_path / "cache", log, 0.5)
    wait_for(log.exists)
    waits: list[str] = []
    _, built = ContentCache(tmp_path / "cache").get_or_build(
        "key", refuse, waiting=lambda: waits.append("waiting")
    )
    builder.end()
    assert (built, waits) == (False, ["waiting"])


@pytest.mark.processes
def test_a_rebuild_leaves_alone_what_another_process_uses(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    user = start(root, tmp_path / "log", 0, "stay")
    wait_for((tmp_path / "stays").exists)
    new = Path(answer(start(root, tmp_path / "log", 0, "rebuild"))[0])
    old = next(generation for generation in generations(root) if generation != new)
    assert generations(root) == [old, new]
    assert (old / "whole").exists()
    assert ContentCache(root).find("key") == new
    (tmp_path / "leave").touch()
    assert answer(user) == [str(old), "True"]
    newest = Path(answer(start(root, tmp_path / "log", 0, "rebuild"))[0])
    assert generations(root) == [newest]


@pytest.mark.processes
def test_two_rebuilds_at_once_share_one(tmp_path: Path) -> None:
    root, log = tmp_path / "cache", tmp_path / "log"
    answer(start(root, log, 0))
    log.unlink()
    first = start(root, log, 1, "rebuild")
    wait_for(log.exists)
    second = start(root, log, 1, "rebuild")
    assert answer(first)[1] == "True"
    assert answer(second)[1] == "False"
    assert log.read_text().count("built") == 1


def test_a_rebuild_that_fails_keeps_the_old_entry(tmp_path: Path) -> None:
    cache = ContentCache(tmp_path)
    entry, _ = cache.get_or_build("key", make_whole)

    def fail(folder: Path) -> None:
        raise ValueError

    with pytest.raises(ValueError):
        cache.get_or_build("key", fail, rebuild=True)
    assert cache.find("key") == entry


def test_an_entry_that_lost_its_probe_is_built_again(tmp_path: Path) -> None:
    target = tmp_path / "interpreter"
    target.write_text("")

    def link(entry: Path) -> None:
        (entry / "python").symlink_to(target)

    cache = ContentCache(tmp_path / "cache", probe="python")
    cache.get_or_build("key", link)
    target.unlink()
    assert cache.find("key") is None
    target.write_text("")
    target.rename(tmp_path / "newer")
    target = tmp_path / "newer"
    entry, built = cache.get_or_build("key", link)
    assert built
    assert cache.find("key") == entry


def test_use_is_noted_but_not_every_time(tmp_path: Path) -> None:
    cache = ContentCache(tmp_path)
    entry, _ = cache.get_or_build("key", make_whole)
    marker = entry.with_name(f"{entry.name}.complete")
    long_ago, just_now = time.time() - 1000, time.time() - 5
    os.utime(marker, (long_ago, long_ago))
    assert cache.find("key") == entry
    assert marker.stat().st_mtime == pytest.approx(long_ago), "looking is not using"
    cache.get_or_build("key", refuse)
    assert marker.stat().st_mtime > just_now
    os.utime(marker, (just_now, just_now))
    cache.get_or_build("key", refuse)
    assert marker.stat().st_mtime == pytest.approx(just_now)


@pytest.mark.processes
def test_a_built_entry_needs_no_costly_import(tmp_path: Path) -> None:
    ContentCache(tmp_path).get_or_build("key", make_whole)
    script = (
        "import sys; from pathlib import Path; from projrun.cache.entries import ContentCache; "
        "ContentCache(Path(sys.argv[1])).get_or_build('key', None); "
        "print({'shutil', 'tempfile', 'subprocess', 'logging'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        ContentCache(tmp_path / "file" / "cache").get_or_build("key", make_whole)


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    """What somebody else put there would be run."""
    cache = ContentCache(tmp_path / "cache")
    cache.get_or_build("a" * 16, lambda entry: None)
    cache.root.chmod(0o777)
    for key in ("a" * 16, "b" * 16):
        with pytest.raises(PermissionError, match="can be written to by others"):
            cache.get_or_build(key, lambda entry: None)
    cache.root.chmod(0o755)
    assert cache.get_or_build("a" * 16, lambda entry: None)[1] is False


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/locks")
def test_an_entry_that_is_removed_while_its_lock_is_waited_for_is_built_again(tmp_path: Path) -> None:
    """Who finds an entry waits for a remover's lock; the file that it then locks has no name any more."""
    log = tmp_path / "log"
    first = start(tmp_path / "cache", log, 0)
    assert answer(first)[1] == "True"
    (entry,) = ContentCache(tmp_path / "cache").entries()
    marker = next(
        path for path in entry.path.parent.iterdir() if path.is_file() and path.stem in entry.path.name
    )
    with marker.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = start(tmp_path / "cache", log, 0)
        waiting = re.compile(rf"-> FLOCK +ADVISORY +READ +{second.pid} ")
        wait_for(lambda: waiting.search(Path("/proc/locks").read_text()) is not None)
        marker.unlink()
        shutil.rmtree(entry.path)
    assert answer(second)[1] == "True"
    assert log.read_text() == "built\n" * 2


def test_what_is_removed_is_gone_at_once_for_what_still_runs_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its pyvenv.cfg gone first, a Python would be the one that it was made from, and be written to."""
    cache = ContentCache(tmp_path)
    entry, _ = cache.get_or_build("0" * 32, lambda folder: (folder / "pyvenv.cfg").touch())
    there: list[bool] = []

    def remove(folder: Path, *, ignore_errors: bool) -> None:
        there.append(entry.exists())

    os.close(entries._held.pop(str(entries._marker(entry))))
    monkeypatch.setattr(shutil, "rmtree", remove)
    (found,) = [one for one in cache.entries() if one.path == entry]
    assert not cache.remove(found), "nothing was removed here: it says so"
    assert there == [False] * len(there) != []


def test_a_removal_that_was_cut_short_is_finished_by_the_next_build(tmp_path: Path) -> None:
    left = tmp_path / ("0" * 32) / "0001-abcdef.removed"
    left.mkdir(parents=True)
    (left / "half").touch()
    ContentCache(tmp_path).get_or_build("0" * 32, lambda folder: None)
    assert not left.exists()


def test_a_removal_that_was_cut_short_is_finished_by_the_next_sweep(tmp_path: Path) -> None:
    cache, key = ContentCache(tmp_path), "0" * 32
    entry, _ = cache.get_or_build(key, lambda folder: None)
    for name in (key, "1" * 32):
        (tmp_path / name / "0001-abcdef.removed" / "half").mkdir(parents=True)
    cache.sweep()
    assert [path.name for path in sorted(tmp_path.glob("*/*"))] == [entry.name, f"{entry.name}.complete"]


def test_a_removal_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    cache, key = ContentCache(tmp_path), "0" * 32
    cache.get_or_build(key, lambda folder: None)
    going = tmp_path / key / "0001-abcdef.removed"
    going.mkdir()
    with exclusive(tmp_path / f"{key}.lock"):
        cache.sweep()
    assert going.exists()
