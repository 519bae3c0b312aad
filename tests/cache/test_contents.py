"""What is in a cache: sizes as `du` says them, and what goes when it is pruned."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from projrun.cache import entries
from projrun.cache.contents import Footprint, Item, Limits, choose, contents, prune, total_size
from projrun.cache.entries import ContentCache, Entry, describe, is_in_use
from tests.support.commands import require_tool

DAY = 86400.0


def make(cache: ContentCache, key: str, size: int = 4096) -> Path:
    """An entry that this process does not hold any more: it is let go as it is at the end of a process."""

    def build(entry: Path) -> None:
        (entry / "probe").write_bytes(b"x" * size)

    probing = ContentCache(cache.root, probe="probe")
    path, _ = probing.get_or_build(key, build, rebuild=True, facts={"manager": "uv", "files": ("a", "b")})
    os.close(entries._held.pop(str(path.with_name(f"{path.name}.complete"))))
    return path


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path / "cache")


def use(entry: Path, days_ago: float) -> None:
    moment = time.time() - days_ago * DAY
    os.utime(entry.with_name(f"{entry.name}.complete"), (moment, moment))


def test_an_empty_cache_has_no_entries(cache: ContentCache) -> None:
    assert cache.entries() == []
    assert contents(cache) == []
    assert prune(cache, Limits(), time.time()).removed == ()
    assert not cache.root.exists()


def test_an_entry_knows_what_it_is(cache: ContentCache) -> None:
    path = make(cache, "key")
    (cache.root / "interpreters.json").write_text("{}")
    (cache.root / "another folder").mkdir()
    (item,) = contents(cache)
    assert item.entry == Entry("key", path, "ready", item.entry.last_used)
    assert time.time() - item.entry.last_used < 60
    assert (item.facts["manager"], item.facts["files"]) == ("uv", ["a", "b"])
    assert time.time() - item.created < 60
    assert not item.in_use


def test_a_size_is_what_du_says(cache: ContentCache) -> None:
    require_tool("du")
    path = make(cache, "key", 123_456)
    (path / "folder").mkdir()
    (path / "folder/small").write_text("x")
    (path / "link").symlink_to("/etc")
    (path / "twin").hardlink_to(path / "probe")
    said = subprocess.run(["du", "-s", "-B1", path], capture_output=True, text=True, check=True).stdout
    (item,) = contents(cache)
    assert item.footprint.size == int(said.split()[0])


def test_what_entries_share_counts_once(cache: ContentCache) -> None:
    first, second = make(cache, "first", 50_000), make(cache, "second", 10)
    (second / "twin").hardlink_to(first / "probe")
    items = contents(cache)
    shared = first.joinpath("probe").stat().st_blocks * 512
    assert total_size(items) == sum(item.footprint.size for item in items) - shared


def test_damaged_descriptions_are_no_errors(cache: ContentCache) -> None:
    path = make(cache, "key")
    for text in ("{", "[]", ""):
        (path / "description.json").write_text(text)
        assert describe(path) == {}
        assert contents(cache)[0].entry.state == "ready"


def test_without_limits_only_what_nobody_would_use_goes(cache: ContentCache) -> None:
    kept = make(cache, "kept")
    use(kept, 1000)
    broken = make(cache, "broken")
    (broken / "probe").unlink()
    old = make(cache, "rebuilt")
    new = old.with_name("0002-abcdef")
    shutil.copytree(old, new)
    new.with_name("0002-abcdef.complete").touch()
    unfinished = cache.root / "unfinished" / "0001-abcdef"
    unfinished.mkdir(parents=True)
    pruned = prune(cache, Limits(), time.time())
    reasons = {candidate.item.entry.path: candidate.reason for candidate in pruned.removed}
    assert reasons == {broken: "broken", old: "superseded", unfinished: "unfinished"}
    assert [entry.path for entry in cache.entries()] == [kept, new]
    assert not broken.parent.exists()
    assert not unfinished.parent.exists()


def test_what_failed_builds_left_goes(cache: ContentCache) -> None:
    left, kept = cache.root / "0123456789abcdef", cache.root / "packages"
    for folder in (left, kept):
        folder.mkdir(parents=True)
        (folder / "failed-build.log").write_text("words")
    prune(cache, Limits(), time.time(), dry_run=True)
    assert left.exists()
    prune(cache, Limits(), time.time())
    assert (left.exists(), kept.exists()) == (False, True)


def test_what_was_not_used_for_long_goes(cache: ContentCache) -> None:
    ages = {"new": 1.0, "old": 31.0, "older": 90.0}
    for key, days in ages.items():
        use(make(cache, key), days)
    limits = Limits(unused_seconds=30 * DAY)
    told = prune(cache, limits, time.time(), dry_run=True)
    assert {candidate.item.entry.key for candidate in told.removed} == {"old", "older"}
    assert told.freed > 0
    assert len(cache.entries()) == 3, "a dry run removes nothing"
    assert prune(cache, limits, time.time()) == told
    assert [entry.key for entry in cache.entries()] == ["new"]
    assert not (cache.root / "old").exists()


def test_over_the_size_those_unused_for_longest_go(cache: ContentCache) -> None:
    for number, days in enumerate([3.0, 1.0, 2.0]):
        use(make(cache, f"key{number}", 100_000), days)
    one = contents(cache)[0].footprint.size
    assert prune(cache, Limits(total_bytes=3 * one), time.time()).removed == ()
    pruned = prune(cache, Limits(total_bytes=2 * one - 1), time.time())
    assert [candidate.item.entry.key for candidate in pruned.removed] == ["key0", "key2"]
    assert pruned.freed == 2 * one
    assert [entry.key for entry in cache.entries()] == ["key1"]
    prune(cache, Limits(total_bytes=0), time.time())
    assert cache.entries() == []


def test_a_shared_file_is_only_freed_by_its_last_holder() -> None:
    def item(key: str, used: float, own: int) -> Item:
        entry = Entry(key, Path(key), "ready", used)
        return Item(entry, Footprint(own, {(1, 1): 1000}), {}, used, False)

    items = [item("a", 1.0, 10), item("b", 2.0, 10), item("c", 3.0, 10)]
    assert total_size(items) == 1030
    assert [one.item.entry.key for one in choose(items, Limits(total_bytes=1015), 9.0)] == ["a", "b"]
    assert len(choose(items, Limits(total_bytes=1000), 9.0)) == 3


@pytest.mark.processes
def test_what_a_process_uses_or_builds_stays(cache: ContentCache) -> None:
    script = (
        "import sys, pathlib; from projrun.cache.entries import ContentCache\n"
        "cache = ContentCache(pathlib.Path(sys.argv[1]))\n"
        "def wait(entry):\n    print('building', flush=True); sys.stdin.readline()\n"
        "cache.get_or_build('used', lambda entry: None)\n"
        "cache.get_or_build('built', wait)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, cache.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    states = {item.entry.key: (item.entry.state, item.in_use) for item in contents(cache)}
    assert states == {"used": ("ready", True), "built": ("building", False)}
    limits = Limits(unused_seconds=0, total_bytes=0)
    later = time.time() + DAY
    assert prune(cache, limits, later).removed == ()
    assert not any(cache.remove(entry) for entry in cache.entries())
    process.communicate("\n")
    assert len(prune(cache, limits, later).removed) == 2
    assert cache.entries() == []


def test_what_this_process_uses_stays(cache: ContentCache) -> None:
    entry, _ = cache.get_or_build("key", lambda folder: None)
    assert is_in_use(entry)
    assert prune(cache, Limits(total_bytes=0), time.time()).removed == ()
    assert not cache.remove(cache.entries()[0])
    assert entry.is_dir()


@pytest.mark.processes
def test_a_look_does_not_disturb_a_run(cache: ContentCache) -> None:
    """A user that comes while somebody looks or removes waits for that moment instead of building anew."""
    make(cache, "key")
    look = (
        "import sys; from pathlib import Path; from projrun.cache.entries import is_in_use\n"
        "while True: is_in_use(Path(sys.argv[1]))"
    )
    looker = subprocess.Popen([sys.executable, "-c", look, cache.entries()[0].path])
    try:
        script = (  # forty processes, but only one that starts Python
            "import os, sys; from pathlib import Path; from projrun.cache.entries import ContentCache\n"
            "for _ in range(40):\n"
            "    if not (pid := os.fork()):\n"
            "        built = ContentCache(Path(sys.argv[1])).get_or_build('key', lambda entry: 1 / 0)[1]\n"
            "        print(built, flush=True)\n"
            "        os._exit(0)\n"
            "    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
        )
        argv = [sys.executable, "-c", script, str(cache.root)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.stdout == "False\n" * 40, done.stderr
    finally:
        looker.kill()
        looker.wait()
