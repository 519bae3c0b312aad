"""What becomes of a run's own copy of the checkout: removed, or kept and said so. Nothing that a run made is lost."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from projrun.cache.entries import ContentCache
from tests.support.commands import Completed, run_projrun, start_projrun
from tests.support.projects import write_project
from tests.support.questions import ask_projrun

pytestmark = pytest.mark.processes

MLPROJECT = """
name: demo
entry_points:
  main: {command: "true"}
  fails: {command: "exit 3"}
  writes: {command: "mkdir -p out __pycache__ && touch a b c out/x __pycache__/y && echo more >> data.txt"}
  removes: {command: "rm data.txt && rm -r .git"}
  waits: {command: "touch $READY && sleep 60"}
  escapes: {command: "mv \\"$PWD\\" \\"$OUTSIDE/moved\\" && ln -s \\"$OUTSIDE\\" \\"$PWD\\""}
  closes: {command: "mkdir -p __pycache__/a && touch __pycache__/a/b && chmod 0 __pycache__/a __pycache__"}
"""


class Bench:
    """A repository with a project, and somebody who runs it from a copy."""

    def __init__(self, folder: Path, fetched: Bench | None = None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.environ = {"PROJRUN_HOME": str(self.home)}
        if fetched:
            self.repository: Path = fetched.repository
            shutil.copytree(fetched.home / "cache", self.home / "cache", symlinks=True)
        else:
            self._commit()

    def _commit(self) -> None:
        self.repository = write_project(self.folder / "repository", MLPROJECT, data_txt="data\n")
        (self.repository / ".gitignore").write_text("*.pkl\nout/\n")
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", "--all")
        self._git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "-m", "first")

    def run(self, entry_point: str, *arguments: str, **environ: str) -> Completed:
        return run_projrun(
            *self.words(entry_point, *arguments), cwd=self.folder, environ={**self.environ, **environ}
        )

    def words(self, entry_point: str, *arguments: str) -> list[str]:
        uri = self.repository.as_uri()
        return ["run", uri, "--version=main", "-e", entry_point, "--env-manager=local", *arguments]

    def document(self, entry_point: str, *arguments: str, **environ: str) -> dict[str, Any]:
        done = self.run(entry_point, "--json", *arguments, **environ)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def copies(self) -> list[Path]:
        place = self.home / "cache" / "copies"
        return sorted(path for path in place.iterdir() if path.is_dir()) if place.exists() else []

    def locks(self) -> list[Path]:
        return list((self.home / "cache" / "copies").glob("*.lock"))

    def checkout(self) -> Path:
        (entry,) = ContentCache(self.home / "cache" / "checkouts", probe="tree").entries()
        return entry.path / "tree"

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.repository, check=True)


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Whose cache holds the project."""
    bench = Bench(tmp_path_factory.mktemp("fetched"))
    bench.run("main").check()
    return bench


@pytest.fixture
def bench(tmp_path: Path, fetched: Bench) -> Bench:
    return Bench(tmp_path, fetched)


def kept_line(copy: Path, reason: str) -> str:
    return f"projrun: kept {copy}: {reason}\n"


def test_a_run_that_leaves_nothing_leaves_no_copy(bench: Bench) -> None:
    done = bench.run("main").check()
    assert "kept" not in done.stderr
    assert (bench.copies(), bench.locks()) == ([], [])
    assert bench.document("main")["checkout"] is None


def test_the_copy_of_a_failed_run_is_kept(bench: Bench) -> None:
    done = bench.run("fails")
    assert done.returncode == 3
    (copy,) = bench.copies()
    assert kept_line(copy, "the run failed") in done.stderr
    assert (copy / "data.txt").read_text() == "data\n"


def test_what_a_run_left_is_kept_and_named(bench: Bench) -> None:
    """What git ignores, too: results often are."""
    done = bench.run("writes").check()
    (copy,) = bench.copies()
    assert kept_line(copy, "the run left a, b, c and 2 more in it") in done.stderr
    assert (copy / "out" / "x").exists()
    assert (bench.checkout() / "data.txt").read_text() == "data\n"


def test_programs_and_records_say_where_it_is(bench: Bench) -> None:
    document = bench.document("writes")
    (copy,) = bench.copies()
    assert document["checkout"] == str(copy)
    shown = ask_projrun("runs", "show", document["run_id"], "--json", environ=bench.environ).check()
    assert json.loads(shown.stdout)["tags"]["projrun.source.kept"] == str(copy)


def test_a_copy_is_kept_on_request(bench: Bench) -> None:
    done = bench.run("main", "--keep-workdir").check()
    (copy,) = bench.copies()
    assert kept_line(copy, "keep-workdir is set") in done.stderr


def test_removed_files_are_no_loss(bench: Bench) -> None:
    bench.run("removes").check()
    assert bench.copies() == []


def test_closed_folders_are_removed_too(bench: Bench) -> None:
    bench.run("closes").check()
    assert (bench.copies(), bench.locks()) == ([], [])


def test_a_link_in_the_place_of_the_copy_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o750)
    (outside / "precious").touch()
    bench.run("escapes", OUTSIDE=str(outside)).check()
    assert sorted(path.name for path in outside.iterdir()) == ["moved", "precious"]
    assert outside.stat().st_mode & 0o777 == 0o750
    place = bench.home / "cache" / "copies"
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    "break_request",
    [
        lambda bench: bench.run("no-such-entry-point"),
        lambda bench: bench.run("main", "--experiment-id=123"),
        lambda bench: bench.run("main", "--tracking-uri=http://127.0.0.1:9"),
    ],
    ids=["plan", "record", "store"],
)
def test_an_error_before_the_start_leaves_no_copy(
    bench: Bench, break_request: Callable[[Bench], Completed]
) -> None:
    done = break_request(bench)
    assert done.returncode in (2, 5)
    assert (bench.copies(), bench.locks()) == ([], [])


@pytest.mark.parametrize("keep", [False, True])
def test_a_run_whose_environment_cannot_be_built_left_nothing(tmp_path: Path, keep: bool) -> None:
    bench = Bench(tmp_path)
    (bench.repository / "python_env.yaml").write_text("python: '3'\ndependencies: [no-such-package]\n")
    (bench.repository / "MLproject").write_text(MLPROJECT + "python_env: python_env.yaml\n")
    subprocess.run(["git", "add", "--all"], cwd=bench.repository, check=True)
    person = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", *person, "commit", "--quiet", "-m", "second"], cwd=bench.repository, check=True)
    options = ["--keep-workdir"] if keep else []
    done = bench.run("main", "--env-manager=uv", *options, UV_OFFLINE="1")
    assert done.returncode == 4, done.stderr
    assert len(bench.copies()) == len(bench.locks()) == (1 if keep else 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed(bench: Bench, tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready"
    words = bench.words("waits", "--grace-period=2")
    process = start_projrun(*words, cwd=tmp_path, environ={**bench.environ, "READY": str(ready)})
    try:
        wait_for(ready)
        (copy,) = bench.copies()
        pruned = run_projrun("cache", "prune", "--older-than=0s", environ=bench.environ).check()
        assert copy.exists(), f"a run works in it\n{pruned.stdout}"
    finally:
        process.send_signal(number)
        said = process.end().stderr.decode()
    assert copy.exists()
    (listed,) = [
        source
        for source in json.loads(
            ask_projrun("cache", "list", "--json", environ=bench.environ).check().stdout
        )["sources"]
        if source["kind"] == "copy"
    ]
    if number == signal.SIGTERM:
        assert kept_line(copy, "the run was killed") in said
        assert (listed["state"], listed["reason"]) == ("kept", "the run was killed")
    else:
        assert (listed["state"], listed["reason"], listed["in_use"]) == ("abandoned", None, False)


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 120
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} does not appear"
        time.sleep(0.02)


def test_what_was_fetched_is_named_with_its_commit_before_it_runs(bench: Bench) -> None:
    told, run, *_ = bench.run("main").check().stderr.splitlines()
    commit = json.loads((bench.checkout().parent / "description.json").read_text())["commit"]
    assert told == f"projrun: {bench.repository.as_uri()} at {commit} (main)"
    assert run.startswith("projrun: run ")
    offline = bench.run("main", "--offline").check().stderr
    assert offline.count(commit) == 1
    assert bench.run("main", "--quiet").check().stderr == ""
    in_place = run_projrun("run", ".", "--env-manager=local", cwd=bench.repository, environ=bench.environ)
    assert commit not in in_place.check().stderr
