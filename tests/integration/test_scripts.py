"""A single script as the project: `projrun run train.py`, with its inline block and the lock that uv keeps."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from projrun_backends.environments.python.uv import find_uv
from tests.backends.environments.python.packages import make_source_tree, write_files
from tests.sources.git_servers import git
from tests.support.commands import Completed, missing, run_projrun

pytestmark = pytest.mark.integration

BLOCK = '# /// script\n# requires-python = ">=3.9"\n# dependencies = ["six<1.17"]\n# ///\n'
SCRIPT = "import six, sys; print(six.__version__, *sys.argv[1:])\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_uv(os.environ) is None:
        missing("uv is not installed")
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return (
        write_files(tmp_path / "project", {"train.py": BLOCK + SCRIPT, "broken.py": "# /// script\n"})
        / "train.py"
    )


def last_run() -> dict[str, object]:
    (run,) = json.loads(run_projrun("runs", "list", "--json", "-n", "1").check().stdout)["runs"]
    shown: dict[str, object] = json.loads(run_projrun("runs", "show", run["run_id"], "--json").check().stdout)
    return shown


def run(*words: str | Path) -> Completed:
    return run_projrun("run", *words).check()


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_a_script_is_a_project(script: Path, manager: str) -> None:
    done = run(script, f"--env-manager={manager}", "-P", "alpha=0.5", "-P", "note=a b")
    assert done.stdout == "1.16.0 --alpha 0.5 --note a b\n"
    tags = last_run()["tags"]
    assert isinstance(tags, dict)
    assert tags["mlflow.project.entryPoint"] == "train.py"
    assert tags["mlflow.source.name"] == str(script.parent)
    repeated = run_projrun("rerun", str(last_run()["run_id"])).check()
    assert repeated.stdout == done.stdout
    assert "building" not in run(script.parent, "-e", "train.py", f"--env-manager={manager}").stderr


def test_a_committed_script_is_run_and_repeated_at_its_commit(script: Path) -> None:
    repository = script.parent
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "x"]):
        git(repository, *words, environ=os.environ)
    assert run(script).stdout == "1.16.0\n"
    script.write_text(BLOCK.replace("<1.17", "<1.16") + SCRIPT)
    assert run_projrun("rerun", str(last_run()["run_id"])).check().stdout == "1.16.0\n"
    assert run(script, "--version", "HEAD").stdout == "1.16.0\n"
    assert run(script).stdout == "1.15.0\n"


def test_the_lock_beside_it_is_installed(script: Path) -> None:
    script.write_text(BLOCK.replace("<1.17", "<1.16") + SCRIPT)
    uv = find_uv(os.environ)
    assert uv is not None
    subprocess.run([uv, "lock", "--script", script], check=True, capture_output=True)
    lock = script.with_name("train.py.lock")
    script.write_text(BLOCK + SCRIPT)
    before = lock.read_text()
    done = run(script)
    assert (done.stdout, lock.read_text()) == ("1.15.0\n", before)
    assert "locked by train.py.lock" in done.stderr
    assert "building" not in run(script).stderr
    refused = run_projrun("run", script, "--env-manager=virtualenv")
    assert refused.returncode == 4
    assert "train.py.lock is a lock of uv" in refused.stderr


def test_what_the_block_tells_uv_counts(script: Path) -> None:
    make_source_tree(script.parent / "gear", "gear")
    sources = '# dependencies = ["gear"]\n# [tool.uv.sources]\n# gear = { path = "gear" }\n'
    text = BLOCK.replace('# dependencies = ["six<1.17"]\n', sources)
    script.write_text(text + "import gear; print(gear.VERSION)\n")
    assert run(script).stdout == "1.0\n"
    (script.parent / "gear/gear.py").write_text("VERSION = 'changed'\n")
    assert run(script).stdout == "changed\n"


def test_requests_that_are_wrong(script: Path) -> None:
    for words, problem in [
        ((script, "-e", "other.py"), "the project is the script train.py"),
        ((script.with_name("broken.py"),), "broken.py:1: the `script` block has no end"),
        ((script.with_name("gone.py"),), "there is no script"),
    ]:
        done = run_projrun("plan", *words)
        assert (done.returncode, problem in done.stderr) == (2, True), done.stderr
