"""`projrun envs`: what was built is listed, shown and pruned; a project's environment is found."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_environments import make_venv, wait_for
from tests.support.commands import Completed, run_projrun
from tests.support.workshop import Workshop

pytestmark = pytest.mark.processes


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


@pytest.fixture
def built(workshop: Workshop) -> Path:
    """A project whose environment is there."""
    project = workshop.project("sprocket<2", "--extra-index-url https://me:hush-hush@127.0.0.1:9/simple")
    workshop.run(project, "--env-manager=uv").check()
    return project


def envs(*arguments: str | Path, folder: Path | None = None) -> Completed:
    return run_projrun("envs", *arguments, cwd=folder)


def document(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(envs(*arguments, "--json").check().stdout)
    return found


def test_nothing_is_there_yet(workshop: Workshop) -> None:
    listed = envs("list").check()
    assert (listed.stdout, listed.stderr) == ("", "no environments\n")
    assert document("list") == {"environments": [], "total_bytes": 0}
    pruned = envs("prune").check()
    assert (pruned.stdout, pruned.stderr) == ("", "0 removed, 0 B\n")
    assert not workshop.home.exists(), "looking changes nothing"


def test_the_list(workshop: Workshop, built: Path) -> None:
    (entry,) = workshop.entries()
    header, row = envs("list").check().stdout.splitlines()
    assert header.split() == [
        "KEY", "MANAGER", "PYTHON", "SIZE", "AGE", "LAST", "USED", "STATE", "BUILT", "FROM"
    ]  # fmt: skip
    cells = row.split("\t")
    assert cells[:2] == [entry.key, "uv"]
    assert cells[-2:] == ["ready", f"1 requirement from requirements.txt, {built}"]
    (listed,) = document("list")["environments"]
    assert set(listed) == {
        "key", "path", "state", "in_use", "manager", "python", "summary", "project", "created", "last_used",
        "size_bytes",
    }  # fmt: skip
    assert (listed["key"], listed["path"], listed["in_use"]) == (entry.key, str(entry.path), False)
    assert listed["size_bytes"] > 100_000


def test_one_is_shown_by_the_beginning_of_its_key(workshop: Workshop, built: Path) -> None:
    (entry,) = workshop.entries()
    shown = document("show", entry.key[:6])
    assert shown["requirements"] == ["sprocket<2", "--extra-index-url https://127.0.0.1:9/simple"]
    assert shown["files"] == [str(built / "requirements.txt")]
    assert "sprocket==1.0\n" in shown["lock"]
    assert Path(shown["build_log"]).is_file()
    assert Path(shown["interpreter"]).is_file()
    text = envs("show", entry.path / "env").check().stdout
    for part in (entry.key, str(entry.path), "sprocket<2", "sprocket==1.0", "last used    just now"):
        assert part in text
    assert "hush" not in text + json.dumps(shown)
    everything = [path for path in entry.path.parent.rglob("*") if path.is_file()]
    assert not [path for path in everything if "hush-hush" in path.read_text(errors="replace")]


def test_one_that_is_not_there(workshop: Workshop, built: Path) -> None:
    done = envs("show", "zzz")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "projrun: error: environment 'zzz' not found; see `projrun envs list`\n"
    workshop.run(workshop.project("sprocket", name="other")).check()
    keys = sorted(entry.key for entry in workshop.entries())
    done = envs("show", "")
    assert done.returncode == 2
    assert f"one of: {', '.join(keys)}" in done.stderr


def test_pruning_by_age(workshop: Workshop, built: Path) -> None:
    (entry,) = workshop.entries()
    assert envs("prune", "--older-than", "1d").check().stdout == ""
    long_ago = time.time() - 40 * 86400
    os.utime(entry.path.with_name(f"{entry.path.name}.complete"), (long_ago, long_ago))
    told = envs("prune", "--older-than", "30d", "--dry-run").check()
    assert told.stdout.startswith(f"would remove {entry.key[:10]} (")
    assert "unused, last used 40 d ago): 1 requirement from requirements.txt" in told.stdout
    assert workshop.entries() == [entry._replace(last_used=workshop.entries()[0].last_used)]
    removed = document("prune", "--older-than", "30d")
    assert removed["removed"][0]["key"] == entry.key
    assert (removed["removed"][0]["reason"], removed["kept"], removed["dry_run"]) == ("unused", [], False)
    assert removed["freed_bytes"] > 100_000
    assert workshop.entries() == []
    workshop.run(built).check()


def test_one_is_removed_by_the_beginning_of_its_key(workshop: Workshop, built: Path) -> None:
    workshop.run(workshop.project("sprocket", name="other"), "--env-manager=uv").check()
    kept, gone = workshop.entries()
    done = envs("remove", gone.key[:12], "zzz")
    assert (done.returncode, workshop.entries()) == (2, [kept, gone])
    assert "environment 'zzz' not found" in done.stderr
    removed = document("remove", gone.key[:12], gone.path)
    assert [(each["key"], each["reason"]) for each in removed["removed"]] == [(gone.key, "named")]
    assert workshop.entries() == [kept]


def test_pruning_by_size_leaves_what_a_run_uses(workshop: Workshop, built: Path) -> None:
    started, released = workshop.folder / "started", workshop.folder / "go"
    waits = "import pathlib, time\npathlib.Path({!r}).touch()\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.02)"
    (built / "script.py").write_text(waits.format(str(started), str(released)))
    user = workshop.start(built, "--env-manager=uv")
    try:
        wait_for(started.exists)
        (listed,) = document("list")["environments"]
        assert listed["in_use"]
        refused = envs("remove", listed["key"])
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"environment {listed['key']} is in use" in refused.stderr
        assert document("prune", "--max-size", "0")["removed"] == []
    finally:
        released.touch()
        user.communicate(timeout=30)
    assert user.returncode == 0
    assert len(document("prune", "--max-size", "0")["removed"]) == 1


def test_what_a_killed_build_left_goes_without_limits(workshop: Workshop) -> None:
    left = workshop.cache / ("0" * 32) / "0001-abcdef"
    (left / "env").mkdir(parents=True)
    assert "unfinished" in envs("list").check().stdout
    told = envs("prune").check()
    assert "leftovers of a killed build" in told.stdout
    assert not left.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--older-than", "soon"], "--older-than: 'soon' is not a duration; for example 30d, 12h or 2d8h"),
        (["--max-size", "big"], "--max-size: 'big' is not a size; for example 20GB, 500MB or 1.5GiB"),
    ],
)
def test_limits_that_are_none(workshop: Workshop, options: list[str], message: str) -> None:
    done = envs("prune", *options)
    assert (done.returncode, done.stderr) == (2, f"projrun: error: {message}\n")


def test_where_a_projects_environment_is(workshop: Workshop, built: Path) -> None:
    (entry,) = workshop.entries()
    found = envs("path", built, "--env-manager=uv").check()
    assert (found.stdout, found.stderr) == (f"{entry.path}/env\n", "")
    (built / "requirements.txt").write_text("sprocket\n")
    missing = envs("path", built, "--env-manager=uv").check()
    key = Path(missing.stdout.strip())
    assert (key.parent, key.exists()) == (workshop.cache, False)
    assert "not built yet" in missing.stderr
    asked = document("path", built, "--env-manager=uv")
    assert (asked["path"], asked["exists"], asked["manager"]) == (str(key), False, "uv")
    venv = make_venv(workshop.folder / "venv")
    assert envs("path", built, "--env", venv).check().stdout == f"{venv}\n"


def test_an_environment_without_a_folder(workshop: Workshop) -> None:
    done = envs("path", workshop.project(), "--env-manager=local")
    assert done.returncode == 2
    assert "the environment has no folder" in done.stderr


def test_the_path_of_a_version_leaves_no_copy(workshop: Workshop) -> None:
    project = workshop.project("sprocket")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=project, check=True)
    envs("path", project, "-v", "v1").check()
    assert len(list((workshop.home / "cache/checkouts").glob("*/*.complete"))) == 1
    assert not (workshop.home / "cache/copies").exists()


def test_a_cache_that_is_no_folder(workshop: Workshop) -> None:
    workshop.cache.parent.mkdir(parents=True)
    workshop.cache.touch()
    assert envs("list").check().stdout == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_cache_that_cannot_be_read(workshop: Workshop, built: Path) -> None:
    workshop.cache.chmod(0)
    try:
        done = envs("list")
    finally:
        workshop.cache.chmod(0o700)
    assert done.returncode == 4
    assert "cannot be used: Permission denied" in done.stderr
