"""What an environment's key covers, and what it does not."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from projrun.errors import RequestError
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.indexes import package_settings
from projrun_backends.environments.python.interpreters import Interpreter
from projrun_backends.environments.python.keys import environment_key
from projrun_backends.environments.python.specs import read_spec
from projrun_backends.environments.python.versions import PythonVersion
from tests.backends.environments.python.packages import make_source_tree, write_files

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind


class Case(NamedTuple):
    """All that goes into a key."""

    project: Path
    environ: dict[str, str]
    manager: str = "uv"
    version: PythonVersion = PythonVersion(3, 11, 7)
    implementation: str = "cpython"
    kind: EnvironmentKind = "python_env"
    file: str = "python_env.yaml"

    def key(self) -> str:
        reference = EnvironmentReference(self.kind, self.project / self.file)
        spec = read_spec(reference, self.project, self.environ)
        interpreter = Interpreter(Path("/usr/bin/python3"), self.version, self.implementation)
        settings = package_settings(self.environ)
        uv = self.manager == "uv"
        return environment_key(self.manager, spec, interpreter, settings, reads_uv_settings=uv)


FILES = {
    "python_env.yaml": "build_dependencies:\n  - pip\ndependencies:\n  - numpy\n  - -r requirements.txt\n  - ./copy\n"
    "  - -e ./live\n  - ./thing-1.0-py3-none-any.whl\n",
    "requirements.txt": "-c limits.txt\n--index-url https://me:word@host/simple\npandas\n",
    "limits.txt": "pandas<3\n",
    "thing-1.0-py3-none-any.whl": "wheel",
    "constraint.txt": "scipy<2\n",
    "other/unrelated.txt": "x",
}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    project = write_files(tmp_path / "project", FILES)
    make_source_tree(project / "copy", "copied")
    make_source_tree(project / "live", "live")
    environ = {
        "HOME": str(tmp_path / "home"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://me:word@host/simple",
        "PIP_CONSTRAINT": str(project / "constraint.txt"),
        "UV_INDEX": "https://token@host/uv",
    }
    return Case(project, environ)


def write(name: str, text: str) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        write_files(case.project, {name: text})
        return case

    return change


def setting(**variables: str) -> Callable[[Case], Case]:
    return lambda case: case._replace(environ={**case.environ, **variables})


def replaced(name: str, old: str, new: str) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        path = case.project / name
        path.write_text(path.read_text().replace(old, new))
        return case

    return change


def rename(old: str, new: str) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        (case.project / old).rename(case.project / new)
        return case

    return change


def move_project(case: Case) -> Case:
    return case._replace(project=case.project.rename(case.project.with_name("moved")))


DIFFERENT: dict[str, Callable[[Case], Case]] = {
    "a requirement": replaced("python_env.yaml", "numpy", "numpy<2"),
    "a build requirement": replaced("python_env.yaml", "- pip", "- pip<25"),
    "an included file": write("requirements.txt", "pandas>=2\n"),
    "a constraint": write("limits.txt", "pandas<2\n"),
    "an index of a file": replaced("requirements.txt", "host/simple", "host/other"),
    "an index of pip": setting(PIP_INDEX_URL="https://other/simple"),
    "an extra index of pip": setting(PIP_EXTRA_INDEX_URL="https://other/simple"),
    "find-links": setting(PIP_FIND_LINKS="/wheels"),
    "an index of uv": setting(UV_INDEX="https://other/uv"),
    "uv's date": setting(UV_EXCLUDE_NEWER="2024-01-01"),
    "pip's switch for pre-releases": setting(PIP_PRE="1"),
    "the content of pip's constraint file": write("constraint.txt", "scipy<1\n"),
    "the micro version": lambda case: case._replace(version=PythonVersion(3, 11, 8)),
    "the implementation": lambda case: case._replace(implementation="pypy"),
    "the manager": lambda case: case._replace(manager="virtualenv"),
    "a file of a copied tree": write("copy/copied.py", "VERSION = 'new'\n"),
    "a new file of a copied tree": write("copy/more.py", ""),
    "a file's name in a copied tree": rename("copy/copied.py", "copy/renamed.py"),
    "a local wheel": write("thing-1.0-py3-none-any.whl", "another wheel"),
    "what an editable tree depends on": write("live/pyproject.toml", "[project]\n"),
    "the place of an editable tree": move_project,
}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_the_key_changes_with(case: Case, change: Callable[[Case], Case]) -> None:
    before = case.key()
    assert change(case).key() != before


def drop_editable(case: Case) -> Case:
    return replaced("python_env.yaml", "  - -e ./live\n", "")(case)


def wait(case: Case) -> Case:
    time.sleep(0.01)
    for path in case.project.rglob("*"):
        os.utime(path, (0, 0))
    return case


def clutter(case: Case) -> Case:
    tree = case.project / "copy"
    for folder in ("__pycache__", ".git", "build", "mlruns", "copied.egg-info", "venv"):
        write_files(tree / folder, {"file": "x", **({"pyvenv.cfg": ""} if folder == "venv" else {})})
    return write("copy/stale.pyc", "x")(case)


SAME: dict[str, Callable[[Case], Case]] = {
    "the time": wait,
    "a password of a file": replaced("requirements.txt", "word", "another"),
    "a password of pip": setting(PIP_INDEX_URL="https://you:other@host/simple"),
    "a token of uv": setting(UV_INDEX="https://other@host/uv"),
    "a comment": replaced("requirements.txt", "pandas\n", "pandas  # the bear\n"),
    "an unrelated file": write("other/unrelated.txt", "y"),
    "an unrelated variable": setting(PIP_CACHE_DIR="/x", EDITOR="vi"),
    "code of an editable tree": write("live/live.py", "VERSION = 'new'\n"),
    "what building and running leave behind": clutter,
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_the_key_does_not_change_with(case: Case, change: Callable[[Case], Case]) -> None:
    before = case.key()
    assert change(case).key() == before


def test_without_editables_the_place_does_not_matter(case: Case) -> None:
    case = drop_editable(case)
    before = case.key()
    assert re.fullmatch("[0-9a-f]{32}", before)
    moved = move_project(case)
    moved = moved._replace(environ={**moved.environ, "PIP_CONSTRAINT": str(moved.project / "constraint.txt")})
    assert moved.key() == before


def test_pip_knows_nothing_of_uvs_settings(case: Case) -> None:
    case = case._replace(manager="virtualenv")
    assert setting(UV_INDEX="https://other/uv")(case).key() == case.key()


def test_a_lock_file_is_part_of_it(tmp_path: Path) -> None:
    write_files(tmp_path, {"pyproject.toml": "[project]\nname = 'x'\n", "uv.lock": "version = 1\n"})
    case = Case(tmp_path, {"PIP_CONFIG_FILE": os.devnull}, kind="uv_env", file="pyproject.toml")
    before = case.key()
    assert write("uv.lock", "version = 2\n")(case).key() != before
    (tmp_path / "uv.lock").unlink()
    assert case.key() != before


def test_a_projects_own_wheels_count_by_content(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"requirements.txt": "-f wheels\nthing\n", "wheels/thing-1.0-py3-none-any.whl": "a"}
    )
    case = Case(tmp_path, {"PIP_CONFIG_FILE": os.devnull}, kind="requirements", file="requirements.txt")
    before = case.key()
    assert write("wheels/thing-1.0-py3-none-any.whl", "b")(case).key() != before


def test_links_that_lead_nowhere_and_files_that_cannot_be_read(tmp_path: Path) -> None:
    make_source_tree(tmp_path / "pkg", "pkg")
    (tmp_path / "pkg/dangling").symlink_to("nowhere")
    (tmp_path / "pkg/around").symlink_to(tmp_path / "pkg")
    write_files(tmp_path, {"requirements.txt": "./pkg\n"})
    case = Case(tmp_path, {"PIP_CONFIG_FILE": os.devnull}, kind="requirements", file="requirements.txt")
    assert case.key() == case.key()
    if os.geteuid() != 0:
        (tmp_path / "pkg/pkg.py").chmod(0)
        with pytest.raises(RequestError, match=r"requirements\.txt:1: .*pkg\.py cannot be read"):
            case.key()
