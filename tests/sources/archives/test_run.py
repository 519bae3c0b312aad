"""Runs of archives by the command line, as a user would."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.sources.archives.making import Item, archive
from tests.support.commands import Completed, run_projrun
from tests.tracking.loopback import Answer, always, serve

pytestmark = pytest.mark.processes

COMMAND = b"cat words.txt run.sh && ./run.sh >> words.txt && cat words.txt"
PROJECT = b"name: x\nentry_points:\n  main:\n    command: " + COMMAND + b"\n"
CONTENT = archive(
    ".tar.gz",
    [
        Item("top-1.0/project/MLproject", PROJECT),
        Item("top-1.0/project/words.txt", b"as packed\n"),
        Item("top-1.0/project/run.sh", b"#!/bin/sh\necho changed\n", mode=0o755),
    ],
)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PROJRUN_HOME": str(tmp_path / "home"), "NETRC": "/nowhere"}


def run(uri: str, *more: str, environ: dict[str, str], cwd: Path) -> Completed:
    return run_projrun("run", uri, "--env-manager=local", *more, cwd=cwd, environ=environ)


def test_local_archive_with_subfolder(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "x.tgz").write_bytes(CONTENT)
    # The second run sees nothing of what the first one did; MLflow's name of the folder begins with the top one.
    for uri in ("x.tgz#project", "x.tgz#/top-1.0/project/"):
        done = run(uri, environ=environ, cwd=tmp_path).check()
        assert (done.stdout + done.stderr).count("changed") == 2  # in run.sh, and once in words.txt


def test_a_folder_inside_one_of_the_same_name(tmp_path: Path, environ: dict[str, str]) -> None:
    """As in MLflow, which strips no top folder: `#a` is the outer one, where that holds what is named."""
    projects = [Item(f"{place}/MLproject", PROJECT + f"# {place}".encode()) for place in ("a", "a/a", "a/b")]
    (tmp_path / "x.zip").write_bytes(archive(".zip", projects))
    for uri, place in {"#a": "a", "#a/a": "a/a", "#a/b": "a/b", "#b": "a/b", "": "a"}.items():
        words = ("plan", f"x.zip{uri}", "--env-manager=local", "--json")
        plan = json.loads(run_projrun(*words, cwd=tmp_path, environ=environ).check().stdout)
        assert Path(plan["source"]["directory"], "MLproject").read_text().endswith(f"# {place}")


def test_archive_of_a_server_then_offline_and_pinned(tmp_path: Path, environ: dict[str, str]) -> None:
    with serve(always(Answer(CONTENT))) as server:
        uri = f"{server.with_user('me:hunter2-Tok')}/x.tar.gz#project"
        done = run(uri, "--json", environ=environ, cwd=tmp_path).check()
        assert "hunter2-Tok" not in done.stdout + done.stderr
    offline = run(uri, "--offline", environ=environ, cwd=tmp_path).check()
    assert f"as last fetched is used (sha256:{DIGEST})" in offline.stderr
    assert "hunter2-Tok" not in offline.stdout + offline.stderr
    run(uri, "--version", f"sha256:{DIGEST}", environ=environ, cwd=tmp_path).check()


def test_plan_names_the_archive_and_changes_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "x.tar.gz").write_bytes(CONTENT)
    words = ("plan", "x.tar.gz#project", "--env-manager=local", "--json")
    plan = json.loads(run_projrun(*words, cwd=tmp_path, environ=environ).check().stdout)
    assert DIGEST in json.dumps(plan)


@pytest.mark.parametrize(
    ("items", "exit_code", "words"),
    [
        ([Item("../evil", b"")], 3, "is refused: its member '../evil' leads out of the archive"),
        (
            [Item("MLproject", PROJECT), Item("project", kind="link", target="..")],
            3,
            "which leads out of the archive",
        ),
        ([Item("MLproject", PROJECT)], 2, "has no folder 'project'"),
    ],
)
def test_exit_codes(
    tmp_path: Path, environ: dict[str, str], items: list[Item], exit_code: int, words: str
) -> None:
    (tmp_path / "x.zip").write_bytes(archive(".zip", items))
    done = run("x.zip#project", environ=environ, cwd=tmp_path)
    assert done.returncode == exit_code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) in (["home", "x.zip"], ["x.zip"])
