"""`projrun cache`: what was fetched and what runs left is listed, shown and pruned; what is used stays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from projrun.cache.entries import ContentCache
from projrun.cache.locked_folders import lock_file
from tests.sources.git_servers import file_server, serving
from tests.support.commands import Completed, run_projrun, start_projrun
from tests.support.projects import write_project
from tests.support.questions import ask_projrun

pytestmark = pytest.mark.processes

MLPROJECT = """
name: demo
entry_points:
  main: {command: "true"}
  writes: {command: "touch model.pkl"}
"""
KEYS = {
    "key", "kind", "path", "state", "in_use", "source", "commit", "sha256", "run_id", "reason", "created",
    "last_used", "size_bytes",
}  # fmt: skip
MONTH = 31 * 86400


class Bench:
    """A repository of one commit, and somebody with a cache."""

    def __init__(self, folder: Path, fetched: Bench | None = None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.cache = self.home / "cache"
        self.environ = {"PROJRUN_HOME": str(self.home)}
        self.fetched = fetched
        self.repository: Path = fetched.repository if fetched else self._commit()

    def _commit(self) -> Path:
        repository = write_project(self.folder / "repository", MLPROJECT)
        person = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*person, "commit", "-qm", "first")):
            subprocess.run(["git", *words], cwd=repository, check=True)
        return repository

    def run(self, entry_point: str = "main", *, fresh: bool = False) -> Completed:
        """Run it; what was fetched for the first test is copied into an empty cache, unless it is to stay empty."""
        if self.fetched and not fresh and not self.cache.exists():
            shutil.copytree(self.fetched.cache, self.cache, symlinks=True)
        return self(*self.words, "-e", entry_point).check()

    @property
    def words(self) -> tuple[str, ...]:
        return ("run", self.repository.as_uri(), "--version=main", "--env-manager=local")

    @property
    def recorded(self) -> str:
        """The source that its runs record: as MLflow's, without percent signs for spaces."""
        return f"file://{self.repository}"

    def __call__(self, *arguments: str | Path, **environ: str) -> Completed:
        return run_projrun(*arguments, cwd=self.folder, environ={**self.environ, **environ})

    def document(self, *arguments: str | Path) -> dict[str, Any]:
        words = ("cache", *arguments, "--json")
        asked = self(*words) if arguments[0] == "prune" else ask_projrun(*words, environ=self.environ)
        found: dict[str, Any] = json.loads(asked.check().stdout)
        return found

    def listed(self) -> dict[str, dict[str, Any]]:
        """By kind, where there is one of each."""
        return {source["kind"]: source for source in self.document("list")["sources"]}

    def pruned(self, *arguments: str) -> list[tuple[str, str]]:
        """Kind and reason of what was removed."""
        document = self.document("prune", *arguments)
        assert document["kept"] == []
        return sorted((removed["kind"], removed["reason"]) for removed in document["removed"])

    def age(self, kind: str, seconds: float) -> None:
        """Make one look as if it had not been used for so long."""
        path = Path(self.listed()[kind]["path"])
        places = {
            "checkout": [path.parent.with_name(f"{path.parent.name}.complete")],
            "repository": [path / "description.json", *(path / "versions").glob("*")],
            "copy": [lock_file(path)],
        }
        when = time.time() - seconds
        for place in places[kind]:
            os.utime(place, (when, when))


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One that has run once."""
    bench = Bench(tmp_path_factory.mktemp("fetched"))
    bench.run()
    return bench


@pytest.fixture
def bench(tmp_path: Path, fetched: Bench) -> Bench:
    return Bench(tmp_path, fetched)


def test_nothing_is_there_yet(bench: Bench) -> None:
    listed = bench("cache", "list").check()
    assert (listed.stdout, listed.stderr) == ("", "no sources\n")
    assert bench.document("list") == {"sources": [], "total_bytes": 0}
    assert bench("cache", "prune").check().stderr == "0 removed, 0 B\n"
    assert bench("cache", "path").check().stdout == f"{bench.cache}\n"
    assert not bench.home.exists(), "looking changes nothing"


def test_the_list(bench: Bench) -> None:
    bench.run("writes")
    listed = bench.listed()
    assert set(listed) == {"repository", "checkout", "copy"}
    for kind, source in listed.items():
        assert set(source) == KEYS
        assert source["source"] == (bench.recorded if kind == "copy" else bench.repository.as_uri())
        assert (source["in_use"], Path(source["path"]).is_dir()) == (False, True)
        assert source["size_bytes"] > 4000
    commit = listed["checkout"]["commit"]
    assert len(commit) == 40
    assert listed["copy"]["commit"] == commit
    assert listed["copy"]["reason"] == "the run left model.pkl in it"
    assert [listed[kind]["state"] for kind in ("repository", "checkout", "copy")] == [
        "ready",
        "ready",
        "kept",
    ]
    assert (Path(listed["checkout"]["path"]) / "MLproject").is_file()
    header, *rows = bench("cache", "list").check().stdout.splitlines()
    assert header.split() == ["KEY", "KIND", "SIZE", "AGE", "LAST", "USED", "STATE", "SOURCE"]
    (copy,) = [row for row in rows if row.startswith(listed["copy"]["key"])]
    assert copy.endswith(f"{bench.recorded} at {commit[:12]}: the run left model.pkl in it")
    assert len(rows) == 3


def test_one_is_shown_and_its_folder_printed(bench: Bench) -> None:
    bench.run("writes")
    for source in bench.listed().values():
        assert bench.document("show", source["key"][:8]) == source
        assert bench.document("show", Path(source["path"]) / "anything") == source
        assert bench("cache", "path", source["key"][:8]).check().stdout == f"{source['path']}\n"
        text = bench("cache", "show", source["key"]).check().stdout
        for part in (source["key"], source["kind"], source["path"], "last used     just now"):
            assert part in text
    missing = bench("cache", "show", "0123456789abcdef0123")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "source '0123456789abcdef0123' not found; see `projrun cache list`" in missing.stderr
    assert "is ambiguous: it matches several sources" in bench("cache", "show", "").stderr


def test_without_limits_nothing_goes_that_is_of_use(bench: Bench) -> None:
    bench.run("writes")
    assert bench.pruned() == []
    assert set(bench.listed()) == {"repository", "checkout", "copy"}


def test_what_was_not_used_for_long_goes(bench: Bench) -> None:
    bench.run("writes")
    assert bench.pruned("--older-than=1h") == []
    for kind in ("checkout", "repository", "copy"):
        bench.age(kind, MONTH)
    dry = bench("cache", "prune", "--older-than=30d", "--dry-run").check()
    assert dry.stdout.count("would remove ") == 3
    assert "unused, last used 31 d ago): copy file://" in dry.stdout
    assert len(bench.listed()) == 3
    expected = [("checkout", "unused"), ("copy", "unused"), ("repository", "unused")]
    assert bench.pruned("--older-than=30d") == expected
    assert bench.listed() == {}
    assert list((bench.cache / "copies").iterdir()) == []
    bench.run("main", fresh=True)  # all is fetched anew
    assert set(bench.listed()) == {"repository", "checkout"}


def test_a_repository_that_was_asked_is_used(bench: Bench) -> None:
    """A branch that is where it was fetches nothing, and yet its repository is of use."""
    bench.run()
    bench.age("repository", MONTH)
    bench.run()
    assert bench.pruned("--older-than=30d") == []


def test_kept_copies_do_not_count_for_the_size(bench: Bench) -> None:
    bench.run("writes")
    assert bench.pruned("--max-size=0") == [("checkout", "size"), ("repository", "size")]
    assert set(bench.listed()) == {"copy"}


def test_what_killed_processes_left_goes(bench: Bench) -> None:
    bench.run("writes")
    copy = Path(bench.listed()["copy"]["path"])
    # A copy that was never completed, one of a killed run that did nothing yet, a lock alone, a killed build.
    unfinished = copy.with_name("00000000000000aa")
    unfinished.mkdir()
    lock_file(unfinished).touch()
    untouched = copy.with_name("00000000000000bb")
    tree = Path(bench.listed()["checkout"]["path"])
    subprocess.run(["cp", "-a", tree, untouched], check=True)
    facts = {"source": "x", "cached": str(tree), "created": 1}
    lock_file(untouched).write_text(json.dumps(facts))
    lock_file(copy.with_name("00000000000000cc")).touch()
    killed = bench.cache / "checkouts" / ("0" * 64) / "0001-aaaaaa"
    killed.mkdir(parents=True)
    text = bench("cache", "prune", "--dry-run").check().stdout
    assert text.count("copy of a killed run, no new files") == 2
    assert bench.pruned() == [("checkout", "unfinished"), ("copy", "unfinished"), ("copy", "unfinished")]
    assert sorted(path.name for path in copy.parent.iterdir()) == [copy.name, f"{copy.name}.lock"]
    assert not killed.exists()


def test_the_copy_of_a_killed_run_stays_where_something_is_new_in_it(bench: Bench) -> None:
    bench.run("writes")
    copy = Path(bench.listed()["copy"]["path"])
    facts = json.loads(lock_file(copy).read_text())
    lock_file(copy).write_text(json.dumps({key: facts[key] for key in ("source", "cached", "created")}))
    assert bench.listed()["copy"]["state"] == "abandoned"
    assert bench.pruned() == []
    assert bench.pruned("--older-than=0s")[1] == ("copy", "unused")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_downloads_go_with_their_run(bench: Bench, number: signal.Signals) -> None:
    """What `path` parameters name is of use to one run alone: where it was killed, pruning removes it."""
    served = bench.folder / "served"
    served.mkdir()
    (served / "data.csv").write_text("1,2\n")
    project = write_project(
        bench.folder / "project",
        "entry_points:\n  main:\n    parameters: {data: path}\n    command: 'cat {data} > \"$READY\" && sleep 60'\n",
    )
    ready = bench.folder / "ready"
    server = file_server(served)
    with serving(server):
        uri = f"http://127.0.0.1:{server.server_address[1]}/data.csv"
        words = ("run", str(project), "--env-manager=local", "--grace-period=1", "-P", f"data={uri}")
        process = start_projrun(*words, cwd=bench.folder, environ={**bench.environ, "READY": str(ready)})
        try:
            deadline = time.monotonic() + 120
            while not (ready.exists() and ready.read_text()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            download = bench.listed()["download"]
            assert download["state"] == "in use"
            assert bench.pruned("--older-than=0s", "--max-size=0") == []
        finally:
            process.send_signal(number)
            process.end()
    if number == signal.SIGKILL:
        assert bench.listed()["download"]["state"] == "abandoned"
        assert bench.pruned() == [("download", "unfinished")]
    assert list((bench.cache / "downloads").iterdir()) == []


@pytest.mark.parametrize("kind", ["repository", "checkout"])
def test_what_is_used_stays(bench: Bench, kind: str) -> None:
    bench.run()
    path = Path(bench.listed()[kind]["path"])
    hold = {
        "repository": (
            "from projrun.sources.git.mirror_lock import mirror_lock\n"
            "from contextlib import nullcontext\n"
            "with mirror_lock(path, nullcontext):\n"
            "    print('held', flush=True); sys.stdin.read()"
        ),
        "checkout": (
            "from projrun.cache.entries import ContentCache\n"
            "cache = ContentCache(path.parents[2], probe='tree')\n"
            "cache.get_or_build(path.parents[1].name, print)\n"
            "print('held', flush=True); sys.stdin.read()"
        ),
    }
    script = f"import sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\n{hold[kind]}"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert bench.listed()[kind]["state"] == "in use"
        assert kind not in dict(bench.pruned("--older-than=0s", "--max-size=0"))
        assert path.is_dir()
    assert bench.pruned("--older-than=0s") == [(kind, "unused")]


@pytest.mark.parametrize("place", ["repositories", "checkouts", "copies"])
def test_links_in_the_cache_are_not_followed(bench: Bench, tmp_path: Path, place: str) -> None:
    precious = tmp_path / "precious"
    (precious / "0001-aaaaaa").mkdir(parents=True)
    (precious / "file").touch()
    folder = bench.cache / place
    folder.mkdir(parents=True, mode=0o700)
    (folder / ("a" * 16)).symlink_to(precious)
    (folder / ("b" * 16)).mkdir()
    (folder / ("b" * 16) / "0001-aaaaaa").symlink_to(precious)
    listed = [source["key"] for source in bench.document("list")["sources"]]
    assert "a" * 16 not in listed
    assert ("b" * 16 in listed) is (place != "checkouts")
    bench("cache", "prune", "--older-than=0s", "--max-size=0").check()
    assert (folder / ("a" * 16)).is_symlink()
    assert (precious / "file").exists()
    assert (precious / "0001-aaaaaa").exists()


@pytest.mark.parametrize("place", ["repositories", "checkouts", "copies"])
def test_a_cache_that_others_may_write_to_is_refused(bench: Bench, place: str) -> None:
    bench.run()
    (bench.cache / place).chmod(0o777)
    runs = bench.words
    for words in (runs, ("plan", *runs[1:]), ("cache", "list"), ("cache", "prune")):
        done = bench(*words)
        assert done.returncode == 3, done.stderr
        assert f"the cache is refused: {bench.cache / place} can be written to by others" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
@pytest.mark.parametrize("kind", ["checkout", "repository"])
def test_what_somebody_else_put_into_the_cache_is_refused(bench: Bench, kind: str) -> None:
    """Its place is mine now, but what is in it was put there before."""
    bench.run()
    path = Path(bench.listed()[kind]["path"])
    if kind == "checkout":
        path = path.parent
    else:
        shutil.rmtree(bench.cache / "checkouts")  # so that the mirror is asked
    os.chown(path, 65533, 65533)
    done = bench(*bench.words)
    assert done.returncode == 3
    assert f"the cache is refused: {path} belongs to uid 65533" in done.stderr


def test_a_cache_made_under_a_loose_umask_is_used_again(bench: Bench) -> None:
    before = os.umask(0)
    try:
        bench.run("writes", fresh=True)
        bench.run("writes")
    finally:
        os.umask(before)
    assert len(bench.document("list")["sources"]) == 4
    for place in ("repositories", "checkouts", "copies"):
        assert (bench.cache / place).stat().st_mode & 0o777 == 0o700


def test_a_cache_that_is_no_folder(bench: Bench) -> None:
    bench.home.mkdir()
    bench.cache.touch()
    done = bench("cache", "list")
    assert done.returncode == 3
    assert f"the cache folder {bench.cache / 'checkouts'} cannot be used: Not a directory" in done.stderr


def test_a_source_with_control_characters_is_shown_escaped(bench: Bench) -> None:
    bench.run("writes")
    copy = Path(bench.listed()["copy"]["path"])
    lock_file(copy).write_text(json.dumps({"source": "\x1b[2Jhidden", "kept": "x\ny"}))
    for words in (("list",), ("show", copy.name), ("prune", "--older-than=0s", "--dry-run")):
        assert "\x1b" not in bench("cache", *words).check().stdout


def test_checkouts_of_the_cache_are_entries(bench: Bench) -> None:
    """What `cache` lists is what runs use."""
    bench.run()
    entries = ContentCache(bench.cache / "checkouts", probe="tree").entries()
    assert [entry.key for entry in entries] == [bench.listed()["checkout"]["key"]]
