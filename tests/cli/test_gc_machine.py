"""`projrun gc`: one command also for what this machine keeps; what a run uses stays, what was cut short is finished."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from projrun.cache.entries import DESCRIPTION
from projrun.cli.execution import execute
from projrun.directories import Directories
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import run_projrun, start_python

KEY, OTHER = "a" * 32, "b" * 32
DAY = 86400


class Home:
    """One user's folders, in which things were kept long ago."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.places = Directories.locate({"PROJRUN_HOME": str(folder)})
        self._capsys = capsys

    def environment(self, key: str, days: float, size: int = 10_000) -> Path:
        """Built with a file of that size, and not used for so many days."""
        return self.entry(self.places.environments, key, days, size)

    def entry(self, root: Path, key: str, days: float, size: int = 10_000, name: str = "file") -> Path:
        folder = root / key / "0001-abcdef"
        (folder / name).mkdir(parents=True)
        (folder / name / "data").write_bytes(os.urandom(size))
        facts = {"summary": "2 packages", "source": "gh:a/b", "probe": name}
        (folder / DESCRIPTION).write_text(json.dumps(facts), encoding="utf-8")
        marker = folder.with_name(f"{folder.name}.complete")
        marker.touch()
        os.utime(marker, (time.time() - days * DAY,) * 2)
        return folder

    def log(self, name: str, days: float) -> Path:
        self.places.logs.mkdir(parents=True, exist_ok=True)
        file = self.places.logs / f"{name}.log"
        file.write_text("output")
        os.utime(file, (time.time() - days * DAY,) * 2)
        return file

    def __call__(self, *words: str, code: int = 0) -> dict[str, Any]:
        self._capsys.readouterr()
        done = execute(["gc", *words, "--json"])
        out, err = self._capsys.readouterr()
        assert done == code, out + err
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Home:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path))
    return Home(tmp_path, capsys)


def removed(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["kind"], each.get("reason", "")) for each in document["removed"]]


def test_without_limits_leftovers_alone_go(home: Home) -> None:
    unfinished = home.places.environments / OTHER / "0001-abcdef"
    unfinished.mkdir(parents=True)
    kept = [home.environment(KEY, 400), home.log("old", 400)]
    assert removed(home("--dry-run")) == [("environment", "unfinished")]
    assert unfinished.exists()
    assert removed(home()) == [("environment", "unfinished")]
    assert not unfinished.exists()
    assert all(path.exists() for path in kept)
    assert not home.places.database.exists(), "no store is made"


def test_what_was_not_used_for_so_long_goes_and_is_counted(home: Home) -> None:
    old, new = home.environment(KEY, 40), home.environment(OTHER, 2)
    checkout = home.entry(home.places.cache / "checkouts", KEY, 40, name="tree")
    logs = [home.log("old", 40), home.log("new", 2)]
    document = home("--older-than", "30d")
    assert removed(document) == [("environment", "unused"), ("checkout", "unused"), ("log", "unused")]
    assert document["freed_bytes"] >= 20_000
    assert document["freed_bytes"] == sum(each["size_bytes"] for each in document["removed"])
    assert [path.exists() for path in (old, new, checkout, *logs)] == [False, True, False, False, True]


def test_one_size_for_all_and_never_what_may_be_work(home: Home) -> None:
    older = home.entry(home.places.cache / "checkouts", KEY, 40, 200_000, name="tree")
    newer = home.environment(OTHER, 10, 200_000)
    log = home.log("old", 400)
    assert removed(home("--max-size", "300kB", "--dry-run")) == [("checkout", "size")]
    assert removed(home("--max-size", "0")) == [("checkout", "size"), ("environment", "size")]
    assert [path.exists() for path in (older, newer, log)] == [False, False, True]


def test_deleted_runs_and_the_machine_in_one_table(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    store = SqlStore.open(home.places.database)
    run = store.create_run("0", run_name="lost", start_time=1)
    part_of(store, LifeCycle).delete_run(run.run_id)
    store.close()
    home.environment(KEY, 40)
    home.log("noisy", 40)
    assert execute(["gc", "--older-than", "0s", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["KIND", "run", "environment", "log"]
    assert "unused, last used 40 d ago" in out
    assert f"{KEY[:10]} 2 packages" in out
    assert err.startswith("1 run, 1 environment and 1 log would be removed, ")
    assert removed(home("--run-ids", run.run_id)) == [("run", "")], "ids are named: nothing else"
    assert removed(home("--older-than", "30d")) == [("environment", "unused"), ("log", "unused")]


def test_at_a_server_this_machine_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home.environment(KEY, 40)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://ml.example.org")
    assert execute(["gc", "--older-than", "30d", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("removed environment aaaaaaaaaa 2 packages")
    assert "https://ml.example.org is a server: `projrun gc` where its store is removes deleted runs" in err


@pytest.mark.processes
def test_what_a_process_uses_stays(home: Home, tmp_path: Path) -> None:
    used = home.environment(KEY, 40)
    code = (
        "import sys\nfrom pathlib import Path\nfrom projrun.cache.entries import ContentCache\n"
        "ContentCache(Path(sys.argv[1])).get_or_build(sys.argv[2], print)\nPath(sys.argv[3]).touch()\n"
        "import time\nwhile True: time.sleep(60)"
    )
    user = start_python(code, home.places.environments, KEY, tmp_path / "ready")
    try:
        wait_for((tmp_path / "ready").exists)
        assert removed(home("--older-than", "0s", "--max-size", "0")) == []
        assert used.exists()
    finally:
        user.send_signal(signal.SIGKILL)
        user.end()
    assert removed(home("--older-than", "0s")) == [("environment", "unused")]


@pytest.mark.processes
def test_killed_in_the_middle_it_leaves_nothing_half(home: Home, tmp_path: Path) -> None:
    """Killed at the removal of the second of three folders; what is left is whole, or gone after the next time."""
    folders = [home.environment(letter * 32, 40) for letter in "abc"]
    environ = {"PROJRUN_HOME": str(tmp_path)}
    for kill_at in (1, 2):
        code = (
            "import os, shutil, signal, sys\nremove, calls = shutil.rmtree, []\n"
            "def killed(*words, **options):\n    calls.append(words)\n"
            "    if len(calls) == int(sys.argv[1]):\n        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    remove(*words, **options)\nshutil.rmtree = killed\n"
            "from projrun.cli.execution import execute\nexecute(['gc', '--older-than', '30d'])"
        )
        assert start_python(code, str(kill_at)).end().returncode == -signal.SIGKILL
        for folder in folders:
            marked = folder.with_name(f"{folder.name}.complete").exists()
            assert marked <= (folder / "file" / "data").exists(), "what is marked as whole is whole"
    run_projrun("gc", "--older-than", "30d", environ=environ).check()
    assert not any(folder.parent.exists() for folder in folders)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
