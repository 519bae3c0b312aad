"""Fetched projects whose requirements name their own packages: `-e .`, `./sub`, with extras."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun_backends.environments.python.uv import find_uv
from tests.sources.git_servers import git
from tests.support.commands import missing, run_projrun
from tests.support.projects import write_project

pytestmark = pytest.mark.integration  # builds real environments with setuptools from the index

SETUP = """\
from setuptools import setup
setup(name='{0}', version='1', py_modules=['{0}'], extras_require={{'six': ['six']}})
"""
SCRIPT = "import six, rooted, nested, sys; print(rooted.WORD, nested.WORD, rooted.__file__.startswith(sys.prefix))\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_uv(os.environ) is None:
        missing("uv is not installed")
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))


def make_repository(folder: Path, file: str, lines: list[str]) -> Path:
    write_project(folder, "entry_points: {main: {command: 'python run/script.py'}}\n")
    listed = "dependencies:\n" if file == "python_env.yaml" else ""
    bullet = "- " if file == "python_env.yaml" else ""
    texts = {
        file: listed + "".join(f"{bullet}{line}\n" for line in lines),
        "setup.py": SETUP.format("rooted"),
        "rooted.py": "WORD = 'first'\n",
        "sub/setup.py": SETUP.format("nested"),
        "sub/nested.py": "WORD = 'below'\n",
        "run/script.py": SCRIPT,  # beside no module: only what is installed is found
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "--quiet", environ=os.environ)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all", environ=os.environ)
    git(folder, "commit", "--quiet", "-m", "x", environ=os.environ)


@pytest.mark.parametrize(
    ("manager", "file", "lines"),
    [
        ("uv", "requirements.txt", ["-e .[six]", "-e ./sub"]),
        ("virtualenv", "python_env.yaml", ["-e .[six]", "-e ./sub"]),
        ("virtualenv", "requirements.txt", [".[six]", "./sub"]),
        ("uv", "python_env.yaml", [".[six]", "./sub"]),
    ],
)
def test_a_fetched_projects_own_packages(tmp_path: Path, manager: str, file: str, lines: list[str]) -> None:
    repository = make_repository(tmp_path / "repository", file, lines)
    words = ("run", repository.as_uri(), "--version", "HEAD", f"--env-manager={manager}")
    done = run_projrun(*words).check()
    assert done.stdout == "first below True\n"
    editable = lines[0].startswith("-e")
    assert done.stderr.count("installed as a copy of commit") == (2 if editable else 0)
    assert "the run left" not in done.stderr
    assert [path for path in (tmp_path / "home/cache/copies").iterdir() if path.is_dir()] == []
    assert "building the environment" not in run_projrun(*words).check().stderr
    (repository / "rooted.py").write_text("WORD = 'second'\n")
    commit(repository)
    assert run_projrun(*words).check().stdout == "second below True\n"


def test_in_place_they_stay_editable(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", "requirements.txt", ["-e .[six]", "-e ./sub"])
    assert run_projrun("run", repository).check().stdout == "first below False\n"
    (repository / "rooted.py").write_text("WORD = 'edited'\n")
    done = run_projrun("run", repository).check()
    assert (done.stdout, "building" in done.stderr) == ("edited below False\n", False)


HATCH = """\
[project]
name = 'nested'
version = '1'
[build-system]
requires = ['hatchling']
build-backend = 'hatchling.build'
"""
SOURCE = """\
requires-python = '>=3.10'
dependencies = ['nested']
[tool.uv.sources]
nested = {path = 'sub', editable = true}
"""
LOCK = """\
lock-version = '1.0'
created-by = 'x'
[[packages]]
name = 'nested'
version = '1'
directory = {path = 'sub', editable = true}
"""


@pytest.mark.parametrize("file", ["pyproject.toml", "pylock.toml", "script.py"])
def test_what_uvs_own_files_call_editable_outlives_the_copy(tmp_path: Path, file: str) -> None:
    code = "import nested, sys; print(nested.WORD, nested.__file__.startswith(sys.prefix))\n"
    block = "".join(f"# {line}\n" for line in ["/// script", *SOURCE.splitlines(), "///"])
    texts = {
        "sub/pyproject.toml": HATCH,  # hatchling installs a link, setuptools a copy of what is built
        "sub/nested/__init__.py": "WORD = 'below'\n",
        "script.py": code,
        "pyproject.toml": f"[project]\nname = 'top'\nversion = '1'\n{SOURCE}",
        "pylock.toml": LOCK,
    }
    repository = tmp_path / "repository"
    for name in ("sub/pyproject.toml", "sub/nested/__init__.py", "script.py", file):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(block + code if name == file == "script.py" else texts[name])
    git(repository, "init", "--quiet", environ=os.environ)
    commit(repository)
    words = ("run", repository.as_uri(), "--version", "HEAD", "-e", "script.py", "--env-manager=uv")
    first, again = run_projrun(*words).check(), run_projrun(*words).check()
    assert (first.stdout, again.stdout) == ("below True\n", "below True\n")
    assert first.stderr.count("installed as a copy of commit") == 1
    assert "the run left" not in first.stderr
