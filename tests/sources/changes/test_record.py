"""What `projrun run` records of a source that no commit holds, and what `--require-clean` refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.sources.git_servers import git
from tests.support.commands import Completed, run_projrun
from tests.support.projects import write_project

MLPROJECT = """
entry_points:
  main: {command: "echo changed by the run > code.txt; touch made_by_the_run"}
  nested: {command: "touch output; projrun run . --env-manager local -e last"}
  paths:
    parameters: {data: path, other: {type: path, default: code.txt}}
    command: "cat {data} {other}"
  last: {command: "true"}
"""


class Bench:
    """A project, a data folder, and what was recorded in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = write_project(folder / "project", MLPROJECT, code_txt="old\n")
        names = [f"GIT_{role}_{field}" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")]
        self.git_environ = {**os.environ, **dict.fromkeys(names, "tester@example.com")}

    def commit(self) -> str:
        """Make the project a repository; returns the commit."""
        for words in (
            ("init", "--quiet", "--initial-branch=main"),
            ("add", "--all"),
            ("commit", "--quiet", "-m", "first"),
        ):
            git(self.project, *words, environ=self.git_environ)
        return git(self.project, "rev-parse", "HEAD", environ=self.git_environ)

    def __call__(self, *arguments: str | Path, **environ: str) -> Completed:
        home = {"PROJRUN_HOME": str(self.folder / "home"), "PROJRUN_ENV_MANAGER": "local"}
        return run_projrun(*arguments, cwd=self.folder, environ={**home, **environ})

    def run(self, *arguments: str | Path, **environ: str) -> dict[str, Any]:
        """The record of a run that succeeds, and what was said."""
        done = self("run", *arguments, "--json", **environ).check()
        run_id = json.loads(done.stdout)["run_id"]
        record = json.loads(self("runs", "show", run_id, "--json").check().stdout)
        return {**record, "said": done.stderr}

    def patch(self, record: dict[str, Any]) -> Path:
        """The artifact."""
        (file,) = (self.folder / "home").rglob(f"*{record['run_id']}*/artifacts/source/dirty.patch")
        return file


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def source(record: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in record["tags"].items() if key.startswith("projrun.source.")}


@pytest.mark.processes
def test_a_clean_tree(bench: Bench) -> None:
    bench.commit()
    record = bench.run(bench.project, "--require-clean")
    assert source(record) == {}
    assert not list((bench.folder / "home").rglob("dirty.patch"))


@pytest.mark.processes
def test_the_changes_are_those_before_the_run(bench: Bench) -> None:
    commit = bench.commit()
    (bench.project / "code.txt").write_text("mine\n")
    (bench.project / "new.txt").write_text("new\n")
    record = bench.run(bench.project)
    assert source(record) == {"projrun.source.dirty": "true", "projrun.source.patch": "complete"}
    assert (bench.project / "code.txt").read_text() == "changed by the run\n"
    clone = bench.folder / "clone"
    git(bench.folder, "clone", "--quiet", str(bench.project), str(clone), environ=bench.git_environ)
    git(clone, "checkout", "--quiet", commit, environ=bench.git_environ)
    git(clone, "apply", str(bench.patch(record)), environ=bench.git_environ)
    files = {path.name: path.read_text() for path in clone.iterdir() if path.is_file()}
    assert files == {"MLproject": MLPROJECT, "code.txt": "mine\n", "new.txt": "new\n"}


@pytest.mark.processes
def test_what_is_left_out_is_said(bench: Bench) -> None:
    bench.commit()
    (bench.project / "model").write_bytes(b"\0")
    (bench.project / ".env").write_text("TOKEN=hunter2\n")
    record = bench.run(bench.project)
    said = "partial: without .env (may hold secrets), model (binary)"
    assert record["tags"]["projrun.source.patch"] == said
    assert f"not all uncommitted changes are recorded: {said}" in record["said"]
    everything = [path.read_bytes() for path in (bench.folder / "home").rglob("*") if path.is_file()]
    assert not any(b"hunter2" in content for content in everything)


@pytest.mark.processes
def test_a_patch_that_cannot_be_taken_is_a_warning(bench: Bench) -> None:
    bench.commit()
    (bench.project / "code.txt").write_text("mine\n")
    program = bench.folder / "bin" / "git"
    program.parent.mkdir()
    path = os.environ["PATH"]
    program.write_text(
        f'#!/bin/sh\nPATH="{path}"\ncase "$*" in *diff*) echo "fatal: no" >&2; exit 128;; esac\nexec git "$@"\n'
    )
    program.chmod(0o755)
    record = bench.run(bench.project, PATH=f"{program.parent}:{path}")
    assert record["status"] == "FINISHED"
    assert record["tags"]["projrun.source.patch"] == "not taken: fatal: no"
    assert "warning: the uncommitted changes are not recorded: fatal: no" in record["said"]


@pytest.mark.processes
def test_a_plain_folder_has_a_content(bench: Bench) -> None:
    first, second = bench.run(bench.project, "-e", "last"), bench.run(bench.project, "-e", "last")
    assert list(source(first)) == ["projrun.source.content", "projrun.source.files"]
    assert source(first) == source(second)
    third = bench.run(bench.project)  # before it changes anything
    written = {"projrun.source.written": '["code.txt","made_by_the_run"]'}
    assert source(third) == {**source(first), **written}
    assert source(bench.run(bench.project)) != source(first)


@pytest.mark.processes
def test_a_repository_without_a_commit_has_a_content(bench: Bench) -> None:
    git(bench.project, "init", "--quiet", environ=bench.git_environ)
    tags = source(bench.run(bench.project, "-e", "last"))
    assert tags.keys() == {"projrun.source.content", "projrun.source.dirty", "projrun.source.files"}


@pytest.mark.processes
def test_a_version_and_a_subfolder(bench: Bench) -> None:
    write_project(bench.project / "deep" / "er", MLPROJECT, code_txt="old\n")
    bench.commit()
    (bench.project / "new").touch()
    tags = source(bench.run(f"{bench.project}#deep/er", "--version", "main", "-e", "last"))
    assert tags == {"projrun.source.subdirectory": "deep/er", "projrun.source.version": "main"}


@pytest.mark.processes
@pytest.mark.parametrize("how", ["option", "variable", "config"])
def test_uncommitted_changes_are_refused(bench: Bench, how: str) -> None:
    bench.commit()
    (bench.project / "new").touch()
    (bench.folder / "home").mkdir()
    config = bench.folder / "home" / "config.toml"
    if how == "config":
        config.write_text("require-clean = true\n")
    words = ["--require-clean"] if how == "option" else []
    environ = {"PROJRUN_REQUIRE_CLEAN": "1"} if how == "variable" else {}
    origin = {"option": "--require-clean", "variable": "$PROJRUN_REQUIRE_CLEAN", "config": str(config)}[how]
    for command in ("run", "plan"):
        done = bench(command, bench.project, *words, PROJRUN_CONFIG=str(config), **environ)
        assert done.returncode == 2
        assert f"{origin}: the project has uncommitted changes: new; commit or stash them" in done.stderr
    assert json.loads(bench("runs", "list", "--json").check().stdout)["runs"] == []


@pytest.mark.processes
def test_steps_may_find_what_steps_before_them_left(bench: Bench) -> None:
    bench.commit()
    bench.run(bench.project, "-e", "nested", PROJRUN_REQUIRE_CLEAN="1")
    (bench.project / "output").unlink()
    (bench.project / "MLproject").write_text(MLPROJECT.replace("-e last", "-e last --require-clean"))
    git(bench.project, "commit", "--quiet", "-a", "-m", "strict", environ=bench.git_environ)
    done = bench("run", bench.project, "-e", "nested")
    assert "--require-clean: the project has uncommitted changes: output" in done.stderr


@pytest.mark.processes
def test_the_folder_that_given_paths_are_relative_to(bench: Bench) -> None:
    (bench.folder / "data").write_text("1")
    relative = bench.run(bench.project, "-e", "paths", "-P", "data=data")
    assert relative["tags"]["projrun.caller_directory"] == str(bench.folder)
    absolute = bench.run(bench.project, "-e", "paths", "-P", f"data={bench.folder}/data")
    assert "projrun.caller_directory" not in absolute["tags"]
