"""`projrun rerun` and `projrun runs diff` as a person uses them: real runs in the embedded store, repeated."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.tracking.entities import Tag
from projrun.tracking.sql.store import SqlStore
from tests.sources.git_servers import GitServer, git, serving
from tests.support.commands import Completed, run_projrun
from tests.support.projects import write_project
from tests.support.questions import ask_projrun

pytestmark = pytest.mark.processes

MLPROJECT = """
name: repeated
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      data: {type: path, default: data.txt}
      token: {type: string, secret: true, required: false}
    command: "cat code.txt {data}; echo alpha={alpha}; true {token}"
  other:
    command: "echo the other"
"""


class Bench:
    """A project in a git repository, a data folder of its own, and what was recorded in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        names = [f"GIT_{role}_{field}" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")]
        self.git_environ = {**os.environ, **dict.fromkeys(names, "tester@example.com")}
        self.environ = {"PROJRUN_HOME": str(self.home), "PROJRUN_ENV_MANAGER": "local"}
        self.project = write_project(folder / "project", MLPROJECT, code_txt="old\n", data_txt="data\n")
        self.head = ""
        self.first: dict[str, Any] = {}

    def commit(self, **files: str) -> str:
        """Commit the project as it is, with these files; returns the commit."""
        if not (self.project / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        write_project(self.project, MLPROJECT, **files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        return git(self.project, *words, environ=self.git_environ)

    def __call__(self, *arguments: str | Path, cwd: Path | None = None, **environ: str) -> Completed:
        return run_projrun(*arguments, cwd=cwd or self.folder, environ={**self.environ, **environ})

    def run(self, *arguments: str | Path, cwd: Path | None = None, command: str = "run") -> dict[str, Any]:
        """What a run that succeeds left on record."""
        done = self(command, *arguments, "--json", cwd=cwd).check()
        result: dict[str, Any] = json.loads(done.stdout)
        return {**result, **self.show(result["run_id"]), "said": done.stderr}

    def rerun(self, *arguments: str | Path, cwd: Path | None = None) -> dict[str, Any]:
        return self.run(*arguments, cwd=cwd, command="rerun")

    def show(self, run_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(
            ask_projrun("runs", "show", run_id, "--json", environ=self.environ).check().stdout
        )
        return shown

    def number_of_runs(self) -> int:
        listed = ask_projrun("runs", "list", "--json", environ=self.environ).check()
        return len(json.loads(listed.stdout)["runs"])

    def store(self) -> SqlStore:
        return SqlStore.open(self.home / "projrun.db", warn=print)

    def commit_and_run(self) -> None:
        """Commit the project, run it, and fetch the commit as a rerun of it would."""
        self.head = self.commit()
        self.first = self.run("project")
        self("rerun", self.first["run_id"], "--dry-run").check()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Path]:
    """One whose project was committed and run, and where it is kept as it was then."""
    folder = tmp_path_factory.mktemp("rerun")
    bench = Bench(folder / "bench")
    bench.commit_and_run()
    return bench, bench.folder.rename(folder / "kept")


@pytest.fixture
def bench(ran: tuple[Bench, Path]) -> Bench:
    """It, restored for this test: in the same place, for its records hold paths."""
    bench, kept = ran
    shutil.rmtree(bench.folder, ignore_errors=True)
    shutil.copytree(kept, bench.folder, symlinks=True)
    return bench


@pytest.fixture
def plain(tmp_path: Path) -> Bench:
    """One whose project is not in a repository, and that ran nothing yet."""
    return Bench(tmp_path)


def log_of(run: dict[str, Any]) -> str:
    return Path(run["artifact_folder"], "logs", "output.log").read_text()


def differing(run: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {one["what"]: (one["recorded"], one["now"]) for one in run["differences"]}


def test_a_run_is_repeated_at_its_commit(bench: Bench) -> None:
    commit = bench.head
    first = bench.run("project", "-P", "alpha=0.25", "-P", "extra=two words", "--experiment-name", "trial")
    bench.commit(code_txt="new\n")
    again = bench.rerun(first["run_id"][:10])
    assert log_of(again) == log_of(first) == "old\ndata\nalpha=0.25\n"
    assert again["tags"]["mlflow.source.git.commit"] == commit
    assert again["tags"]["projrun.rerun_of"] == again["rerun_of"] == first["run_id"]
    assert again["params"] == first["params"]
    assert again["experiment_name"] == "trial"
    assert differing(again) == {"environment": (None, None)}
    assert f"at {commit}" in again["said"].splitlines()[0]
    assert bench.git("status", "--porcelain") == ""
    assert bench.git("symbolic-ref", "HEAD") == "refs/heads/main"


def test_uncommitted_changes_are_restored_and_recorded_again(bench: Bench) -> None:
    (bench.project / "code.txt").write_text("uncommitted\n")
    (bench.project / "data.txt").write_text("too\n")
    first = bench.run("project")
    bench.git("checkout", "--quiet", "--", ".")
    again = bench.rerun(first["run_id"])
    third = bench.rerun(again["run_id"])
    assert log_of(third) == log_of(again) == log_of(first) == "uncommitted\ntoo\nalpha=0.5\n"
    assert (bench.project / "code.txt").read_text() == "old\n"
    assert "with uncommitted changes" in again["said"].splitlines()[0]
    without = bench.rerun(first["run_id"], "--without-patch")
    assert log_of(without) == "old\ndata\nalpha=0.5\n"
    assert "uncommitted changes" in differing(without)


def test_changes_that_are_not_recorded_are_told(bench: Bench) -> None:
    bench.commit(image_bin="x")
    (bench.project / "image.bin").write_bytes(b"\0\1\2")
    first = bench.run("project")
    again = bench("rerun", first["run_id"], "--quiet").check()
    assert "projrun: warning: differs: uncommitted changes: not all are restored: partial" in again.stderr


def test_a_patch_that_does_not_fit_ends_it_before_the_start(bench: Bench) -> None:
    (bench.project / "code.txt").write_text("uncommitted\n")
    first = bench.run("project")
    patch = Path(first["artifact_folder"], "source", "dirty.patch")
    patch.write_text(patch.read_text().replace("-old", "-never"))
    done = bench("rerun", first["run_id"])
    assert done.returncode == 3
    assert "cannot be applied; skip it with --without-patch" in done.stderr
    assert list((bench.home / "cache" / "copies").glob("*")) == []
    assert bench.number_of_runs() == 2  # the first of all, and this one


def test_changes_whose_artifact_is_gone_are_not_left_out_silently(bench: Bench) -> None:
    (bench.project / "code.txt").write_text("uncommitted\n")
    first = bench.run("project")
    Path(first["artifact_folder"], "source", "dirty.patch").unlink()
    done = bench("rerun", first["run_id"])
    assert done.returncode == 3
    assert "are gone: it has no artifact source/dirty.patch; skip them" in done.stderr


def test_what_is_given_anew_is_told(bench: Bench) -> None:
    first = bench.run("project", "-P", "alpha=0.25")
    again = bench.rerun(
        first["run_id"], "-P", "alpha=0.5", "--experiment-name", "other", "--run-name", "anew"
    )
    assert (again["params"]["alpha"], again["run_name"]) == ("0.5", "anew")
    told = differing(again)
    assert told["parameter alpha"] == ("0.25", "0.5")
    assert told["experiment"] == ("id 0", "other")
    assert "differs: parameter alpha: 0.25 -> 0.5 (command line)" in again["said"]
    other = bench.rerun(first["run_id"], "-e", "other")
    assert differing(other)["entry point"] == ("main", "other")
    assert log_of(other).startswith("the other")


def test_an_archive_is_named_with_its_hash(plain: Bench) -> None:
    archive = shutil.make_archive(str(plain.folder / "project"), "zip", plain.project)
    first = plain.run(archive)
    again = plain.rerun(first["run_id"])
    assert f"{archive} at {first['tags']['projrun.source.archive']}\n" in again["said"]


def test_the_help_promises_no_variable_that_the_record_goes_before(bench: Bench) -> None:
    shown = " ".join(bench("rerun", "--help").check().stdout.split())
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "PROJRUN_BACKEND", "PROJRUN_ENV_MANAGER"):
        assert not re.search(rf"\b{name}\b", shown)
        assert name in " ".join(bench("run", "--help").check().stdout.split())


def test_the_record_goes_before_variables(bench: Bench) -> None:
    first = bench.first
    done = bench("rerun", first["run_id"], "--json", MLFLOW_EXPERIMENT_NAME="other", PROJRUN_ENV_MANAGER="uv")
    again = json.loads(done.check().stdout)
    assert again["experiment_id"] == first["experiment_id"]
    assert bench.show(again["run_id"])["tags"]["projrun.env_manager"] == "local"


def test_a_secret_is_asked_for(bench: Bench) -> None:
    first = bench.run("project", "-P", "token=hush")
    done = bench("rerun", first["run_id"], "--json")
    assert done.returncode == 2
    assert "lacks the value of token; give -P token=VALUE" in done.stderr
    assert json.loads(done.stdout)["exit_code"] == 2
    again = bench.rerun(first["run_id"], "-P", "token=hush")
    assert again["params"]["token"] == "***"
    assert "hush" not in again["said"]


def test_params_that_the_project_logged_are_not_given_to_it(bench: Bench) -> None:
    first = bench.first
    store = bench.store()
    from projrun.tracking.entities import Param

    store.log_batch(first["run_id"], params=[Param("depth", "5"), Param("token", "logged")])
    store.close()
    again = bench.rerun(first["run_id"])
    assert again["params"] == first["params"]


def test_relative_paths(bench: Bench) -> None:
    """What the project has is the commit's; what lies elsewhere is where the run was started."""
    (bench.folder / "mine.txt").write_text("mine\n")
    first = bench.run("project", "-P", "data=mine.txt")
    inside = bench.run(".", "-P", "data=code.txt", cwd=bench.project)
    bench.commit(code_txt="new\n")
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    again = bench.rerun(first["run_id"], cwd=elsewhere)
    assert log_of(again) == "old\nmine\nalpha=0.5\n"
    assert (again["params"]["data"], again["tags"]["projrun.caller_directory"]) == (
        "mine.txt",
        str(bench.folder),
    )
    assert log_of(bench.rerun(inside["run_id"], cwd=elsewhere)) == "old\nold\nalpha=0.5\n"


def test_a_file_of_the_callers_that_is_named_as_the_projects(bench: Bench) -> None:
    (bench.folder / "data.txt").write_text("mine\n")
    mine, default = bench.run("project", "-P", "data=data.txt"), bench.run("project")
    assert log_of(bench.rerun(mine["run_id"], cwd=bench.project)) == "old\nmine\nalpha=0.5\n"
    again = bench.rerun(default["run_id"])
    assert log_of(again) == log_of(bench.rerun(again["run_id"])) == "old\ndata\nalpha=0.5\n"
    assert "projrun.caller_directory" not in again["tags"]


def test_a_secret_that_was_not_given_is_not_asked_for(plain: Bench) -> None:
    text = MLPROJECT.replace("required: false", "default: hush")
    write_project(plain.project, text)
    first = plain.run("project")
    assert first["params"]["token"] == "***"
    assert "parameter token" not in differing(plain.rerun(first["run_id"]))


def test_a_run_that_was_recorded_into_again_is_what_it_was_first(bench: Bench) -> None:
    """`--run-id` changes nothing that the run has."""
    bench.project.joinpath("code.txt").write_text("changed\n")
    first = bench.run("project", "-e", "other")
    bench.git("checkout", "--quiet", "--", ".")
    last = bench.run("project", "--run-id", first["run_id"])
    assert last["tags"] == first["tags"]
    assert last["tags"]["projrun.source.dirty"] == "true"
    again = bench.rerun(first["run_id"])
    assert (again["tags"]["projrun.source.dirty"], log_of(again)) == ("true", log_of(first))


def test_a_plain_folder_is_run_where_it_is_and_only_as_it_was(plain: Bench) -> None:
    first = plain.run("project")
    again = plain.rerun(first["run_id"])
    assert log_of(again) == log_of(first)
    assert "content" not in differing(again)
    (plain.project / "code.txt").write_text("new\n")
    done = plain("rerun", first["run_id"])
    assert done.returncode == 3
    assert "differ from those of run" in done.stderr
    assert f"({first['run_id']}): code.txt; run them as they are" in done.stderr
    changed = plain.rerun(first["run_id"], "--changed-source")
    assert log_of(changed).startswith("new")
    assert "content" in differing(changed)
    (plain.project / "code.txt").unlink()
    (plain.project / "MLproject").unlink()
    (plain.project / "data.txt").unlink()
    plain.project.rmdir()
    gone = plain("rerun", first["run_id"])
    assert gone.returncode == 3
    assert "no longer exists" in gone.stderr


def test_what_a_run_wrote_is_not_its_source(plain: Bench) -> None:
    text = "entry_points:\n  main:\n    command: date +%N > plot.png; cat code.txt; mkdir -p out; echo 1 > out/$$\n"
    (plain.project / "MLproject").write_text(text)
    runs = [plain.run("project") for _ in range(3)]
    again = plain.rerun(runs[0]["run_id"])
    assert log_of(again) == "old\n"
    assert "new since then: out/" in plain("rerun", runs[0]["run_id"], "--dry-run").check().stderr
    assert "plot.png" in json.loads(runs[1]["tags"]["projrun.source.written"])
    (plain.project / "data.txt").write_text("others\n")
    (plain.project / "helper.py").touch()
    done = plain("rerun", runs[2]["run_id"])
    assert done.returncode == 3
    assert f"({runs[2]['run_id']}): data.txt, helper.py; run them as they are" in done.stderr


def test_code_that_was_edited_while_the_run_went_on_is_no_result(plain: Bench) -> None:
    (plain.project / "MLproject").write_text("entry_points:\n  main:\n    command: echo '#' >> code.py\n")
    (plain.project / "code.py").touch()
    first = plain.run("project")
    assert "projrun.source.written" not in first["tags"]
    assert "code.py; run them" in plain("rerun", first["run_id"]).stderr


def test_a_branch_that_has_moved_on_a_server(bench: Bench) -> None:
    commit = bench.head
    served = bench.folder / "served"
    git(bench.folder, "clone", "--quiet", "--bare", "project", "served/p.git", environ=bench.git_environ)
    server = GitServer(served, bench.git_environ)
    with serving(server):
        url = server.url("p.git")
        first = bench.run(url, "--version", "main")
        bench.commit(code_txt="new\n")
        bench.git("push", "--quiet", "--force", str(served / "p.git"), "main")
        again = bench.rerun(first["run_id"])
    assert again["tags"]["mlflow.source.git.commit"] == commit
    assert again["tags"]["mlflow.source.name"] == url
    assert log_of(again) == log_of(first)
    done = bench("rerun", first["run_id"], PROJRUN_CACHE_DIR=str(bench.folder / "empty"))
    assert done.returncode == 3  # the server is gone
    assert url in done.stderr


def test_a_folder_that_is_gone_is_fetched_from_where_it_was_cloned(bench: Bench) -> None:
    git(bench.folder, "clone", "--quiet", "--bare", "project", "origin.git", environ=bench.git_environ)
    git(bench.folder, "clone", "--quiet", "origin.git", "clone", environ=bench.git_environ)
    first = bench.run("clone")
    (bench.folder / "clone").rename(bench.folder / "moved")
    again = bench.rerun(first["run_id"])
    assert log_of(again) == log_of(first)
    assert differing(again)["source"] == (f"file://{bench.folder}/clone", f"file://{bench.folder}/origin.git")
    told = bench.rerun(first["run_id"], "--source", "moved")
    assert differing(told)["source"][1] == f"file://{bench.folder}/moved"


def test_the_policy_holds_for_what_a_record_names(bench: Bench) -> None:
    first = bench.first
    store = bench.store()
    store.set_tag(first["run_id"], Tag("mlflow.source.name", "https://evil.example/x"))
    store.close()
    done = bench("rerun", first["run_id"], PROJRUN_ALLOWED_HOSTS="github.com")
    assert done.returncode == 3
    assert "allowed-hosts" in done.stderr


def test_a_dry_run_shows_the_plan_and_leaves_nothing(bench: Bench) -> None:
    (bench.project / "code.txt").write_text("uncommitted\n")
    first = bench.run("project")
    shown = bench("rerun", first["run_id"], "--dry-run", "-P", "alpha=1").check()
    assert "alpha = 1  (float, command line)" in shown.stdout
    assert "with uncommitted changes" in shown.stdout
    assert "differs: parameter alpha: 0.5 -> 1" in shown.stderr
    document = json.loads(bench("rerun", first["run_id"], "--dry-run", "--json").check().stdout)
    assert document["rerun_of"] == first["run_id"]
    assert list((bench.home / "cache" / "copies").glob("*")) == []
    assert bench.number_of_runs() == 2  # the first of all, and this one


def test_runs_that_cannot_be_repeated(bench: Bench) -> None:
    first = bench.first
    store = bench.store()
    bare = store.create_run("0", start_time=1)
    store.close()
    for run_id, words in ((bare.run_id, "not a project run"), ("f" * 32, "has no run"), ("", "has no run")):
        done = bench("rerun", run_id)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert bench("rerun", first["run_id"], "--source", "nowhere").returncode == 2


def test_artifacts_that_cannot_be_reached_can_be_done_without(bench: Bench) -> None:
    first = bench.first
    with closing(sqlite3.connect(bench.home / "projrun.db")) as database, database:
        database.execute("UPDATE runs SET artifact_uri = 'gopher://nowhere/x'")
    done = bench("rerun", first["run_id"])
    assert done.returncode == 5
    assert "or run without: --unlocked" in done.stderr
    bench("rerun", first["run_id"], "--unlocked").check()


def test_require_clean_refuses_restored_changes(bench: Bench) -> None:
    (bench.project / "code.txt").write_text("uncommitted\n")
    first = bench.run("project")
    done = bench("rerun", first["run_id"], PROJRUN_REQUIRE_CLEAN="1")
    assert done.returncode == 2
    assert "--without-patch" in done.stderr
    bench("rerun", first["run_id"], "--without-patch", PROJRUN_REQUIRE_CLEAN="1").check()


def test_the_keys_of_json(bench: Bench) -> None:
    first = bench.first
    ran = json.loads(bench("run", "project", "--json").check().stdout)
    again = json.loads(bench("rerun", first["run_id"], "--json", "-P", "alpha=1").check().stdout)
    assert list(again) == [*ran, "rerun_of", "differences"]
    assert again["differences"][0] == {
        "what": "parameter alpha", "recorded": "0.5", "now": "1", "note": "command line",
    }  # fmt: skip


def test_the_projects_exit_code_is_passed_on(bench: Bench) -> None:
    failing = MLPROJECT.replace("echo the other", "exit 7")
    (bench.project / "MLproject").write_text(failing)
    first = bench("run", "project", "-e", "other", "--json")
    assert first.returncode == 7
    assert bench("rerun", json.loads(first.stdout)["run_id"]).returncode == 7


def test_only_the_commit_is_run_where_versions_must_be_pinned(bench: Bench) -> None:
    (bench.project / "code.txt").write_text("uncommitted\n")
    first = bench.run("project")
    done = bench("rerun", first["run_id"], PROJRUN_REQUIRE_PINNED="1")
    assert done.returncode == 3
    assert "$PROJRUN_REQUIRE_PINNED sets require-pinned; skip them with --without-patch" in done.stderr
    bench("rerun", first["run_id"], "--without-patch", PROJRUN_REQUIRE_PINNED="1").check()


def test_an_archive_by_its_hash(plain: Bench) -> None:
    archive = plain.folder / "project.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(plain.project, "project")
    first = plain.run(archive)
    (plain.project / "code.txt").write_text("new\n")
    again = plain.rerun(first["run_id"])
    assert log_of(again) == log_of(first) == "old\ndata\nalpha=0.5\n"
    assert again["tags"]["projrun.source.archive"] == first["tags"]["projrun.source.archive"]
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(plain.project, "project")
    done = plain("rerun", first["run_id"], PROJRUN_CACHE_DIR=str(plain.folder / "empty"))
    assert done.returncode == 3
    assert "sha256" in done.stderr.lower()
