"""The hot path: what `projrun run` may import for a small local project, recorded in the embedded store.

Start-up time is mostly imports. A module that this test refuses is imported where it is used, inside the
function; one that the hot path cannot do without is added to `hot_path_modules.txt`.
"""

from __future__ import annotations

import ast
import importlib.util
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import test_rooms as rooms
from tests.support.code import nodes
from tests.support.commands import run_command, run_projrun
from tests.support.guard import REPOSITORY

ALLOWED_FILE = Path(__file__).with_name("hot_path_modules.txt")
OURS = ("projrun", "projrun_backends")

# Each costs 5 ms or more, or draws in what does.
NEVER = frozenset(
    {
        "asyncio", "click", "concurrent.futures", "dataclasses", "email", "filelock", "fsspec", "git", "hashlib",
        "html", "http", "importlib.metadata", "logging", "msgspec", "multiprocessing", "pkg_resources", "platformdirs",
        "requests", "rich", "secrets", "ssl", "starlette", "tempfile", "tomllib", "unittest", "urllib.request",
        "urllib3", "uvicorn", "virtualenv", "yaml", "zipfile",
        # `projrun.tuples` needs it where annotations are evaluated late.
        *(("typing",) if sys.version_info < (3, 14) else ()),
    }
)  # fmt: skip

# What starts before it is known what is asked for: `version`, `--help` and the API import less than a run.
# `projrun.cli.run` imports most of it while git works.
# `projrun server` has a hidden command, and starts without what that needs.
LIGHT_STARTS = frozenset(
    {"projrun", "projrun.cli", "projrun.cli.execution", "projrun.cli.run", "projrun.cli.server.endpoint"}
)

# `fcntl` is not on every system; `check` and completion start without `json`.
OPTIONAL = frozenset({"fcntl", "json"})

_RECORDER = """
import os, sys
leave = os._exit

def record(code):
    with open(sys.argv[1], "w") as file:
        file.write("\\n".join(sys.modules))
    leave(code)

os._exit = record
from projrun.cli import main

try:
    main(sys.argv[2:])
except SystemExit as leaving:
    record(leaving.code)
"""

# What the hot path is built on brings in modules of its own, which differ between versions.
_BASE = """
import sys
import _sqlite3, re, subprocess
print("\\n".join(sys.modules))
"""


@pytest.fixture(scope="module")
def base() -> frozenset[str]:
    """The modules that come with Python, its SQLite and its processes."""
    done = run_command([sys.executable, "-c", _BASE]).check()
    return frozenset(done.stdout.split())


@pytest.fixture(scope="module")
def allowed() -> frozenset[str]:
    """The modules named in `hot_path_modules.txt`."""
    lines = ALLOWED_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(filter(None, (line.partition("#")[0].strip() for line in lines)))


def imported_by(tmp_path: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """All modules that a `projrun` command has imported when it ends."""
    listing = tmp_path / "modules"
    run_command([sys.executable, "-c", _RECORDER, listing, *arguments], environ=environ).check()
    return frozenset(listing.read_text().split())


def run_quickstart(tmp_path: Path, *options: str) -> frozenset[str]:
    project = REPOSITORY / "example_projects" / "quickstart"
    own = {
        "PROJRUN_HOME": str(tmp_path / "home")
    }  # that of a fixture is shared with other processes of the tests
    words = ("run", str(project), "--env-manager=local")
    run_projrun(*words, environ=own).check()  # creates the store, keeps the parsed project
    return imported_by(tmp_path, *words, *options, environ=own)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """All modules that a run of a small project has imported when it ends."""
    return run_quickstart(tmp_path_factory.mktemp("quickstart"))


@pytest.mark.processes
def test_a_run_imports_only_what_is_allowed(
    loaded: frozenset[str], base: frozenset[str], allowed: frozenset[str]
) -> None:
    modules = loaded
    assert sorted(modules - base - allowed - _private(modules)) == []


@pytest.mark.integration
def test_a_run_imports_nothing_expensive(tmp_path: Path) -> None:
    modules = run_quickstart(tmp_path, "-P", "name=Ada", "--experiment-name", "other")
    assert sorted(modules & NEVER) == []


@pytest.mark.integration
@pytest.mark.parametrize("words", [["plan", "example_projects/quickstart"], ["runs", "list", "-n", "5"]])
def test_other_plain_lines_need_no_click(tmp_path: Path, words: list[str]) -> None:
    words = [str(REPOSITORY / word) if "/" in word else word for word in words]
    assert "click" not in imported_by(tmp_path, *words)


@pytest.mark.integration
def test_a_plain_folder_is_hashed_without_openssl(tmp_path: Path) -> None:
    project = tmp_path / "plain"
    shutil.copytree(REPOSITORY / "example_projects" / "quickstart", project)
    run_projrun("run", project, "--env-manager=local").check()  # keeps the parsed project
    modules = imported_by(tmp_path, "run", str(project), "--env-manager=local")
    assert "projrun.sources.changes.folder_hash" in modules
    assert sorted(modules & NEVER) == []


@pytest.mark.integration
def test_a_patch_needs_little(tmp_path: Path, base: frozenset[str], allowed: frozenset[str]) -> None:
    project = tmp_path / "dirty"
    shutil.copytree(REPOSITORY / "example_projects" / "quickstart", project)
    for words in (["init"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-m", "one"]):
        run_command(["git", "-C", project, *words]).check()
    (project / "README.md").write_text("changed")
    run_projrun("run", project, "--env-manager=local").check()  # keeps the parsed project
    modules = imported_by(tmp_path, "run", str(project), "--env-manager=local")
    assert sorted(modules - base - allowed - _private(modules)) == [
        "projrun.running.record.changes",
        "projrun.sources.changes",
        "projrun.sources.changes.diff_format",
        "projrun.sources.changes.patch",
        "projrun.sources.changes.record",
        "projrun.sources.changes.sensitive",
        "projrun.sources.git.output",
    ]


@pytest.mark.integration
def test_a_kept_environment_costs_little(tmp_path: Path) -> None:
    """Without a file in YAML; that of a project needs its parser."""
    words = ["run", str(REPOSITORY / "example_projects" / "quickstart"), "--env-manager=virtualenv"]
    own = {"PROJRUN_HOME": str(tmp_path / "home")}
    run_projrun(*words, environ=own).check()  # builds it
    modules = imported_by(tmp_path, *words, environ=own)
    assert "projrun_backends.environments.python.keys" in modules
    assert sorted(modules & (NEVER | {"shutil"})) == []


@pytest.mark.integration
def test_a_cached_commit_needs_no_gitpython(tmp_path: Path) -> None:
    project = tmp_path / "repository"
    shutil.copytree(REPOSITORY / "example_projects" / "quickstart", project)
    for words in (["init"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-m", "one"]):
        run_command(["git", "-C", project, *words]).check()
    commit = run_command(["git", "-C", project, "rev-parse", "HEAD"]).check().stdout.strip()
    asked = ("run", project.as_uri(), "--version", commit, "--env-manager=local")
    run_projrun(*asked).check()
    modules = imported_by(tmp_path, *asked)
    assert "projrun.sources.git.fetch" in modules
    assert not modules & {"git", "projrun.sources.git.process", "projrun.sources.git.mirror", "requests"}


@pytest.mark.processes
def test_version_needs_almost_nothing(tmp_path: Path) -> None:
    modules = imported_by(tmp_path, "version")
    assert sorted(name for name in modules if name.partition(".")[0] in {"click", "yaml", "sqlite3"}) == []
    assert sorted(name for name in modules if name.startswith(OURS)) == [
        "projrun",
        "projrun.cli",
        "projrun.version",
    ]


@pytest.mark.processes
def test_server_starts_without_what_runs_projects_or_answers_few_requests() -> None:
    code = "import sys, projrun.cli.server.command, projrun.server.program.running; print(*sys.modules)"
    modules = run_command([sys.executable, "-c", code]).check().stdout.split()
    assert "projrun.server.app" in modules
    unneeded = (
        "projrun.project projrun.sources projrun.running projrun.server.graphql csv zipfile requests yaml git"
    )
    assert [name for name in modules if name.startswith(tuple(unneeded.split()))] == []


@pytest.mark.processes
@pytest.mark.together("syntax trees")
def test_late_imports_save_something(loaded: frozenset[str]) -> None:
    """An import in a function is there for start-up: one of a module that every run has loaded saves nothing."""
    files = rooms.modules()
    idle = [
        f"{module}: {name}"
        for module, file in files.items()
        if module not in LIGHT_STARTS
        and not module.startswith(("projrun.log.", "projrun.running.shim.on_path"))  # others' starts
        for function in nodes(file)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in rooms.imported(ast.walk(ast.Module(function.body, [])), files.keys())
        if name in loaded - OPTIONAL
    ]
    assert idle == []


def test_the_list_names_only_modules_that_exist(allowed: frozenset[str]) -> None:
    assert [name for name in sorted(allowed) if importlib.util.find_spec(name) is None] == []
    assert not allowed & NEVER


def _private(modules: frozenset[str]) -> frozenset[str]:
    """The inner halves of standard modules, `_json` or `pathlib._local`: they differ between versions."""
    return frozenset(name for name in modules if name.startswith(("_", "pathlib._")))
