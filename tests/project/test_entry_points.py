from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.binding import GivenValue, bind
from projrun.project.entry_points import find_entry_point
from projrun.project.loader import load_project
from tests.project.support import load_text
from tests.support.projects import write_project

TWO = "entry_points: {main: {command: a}, validate: {command: b}, x.py: {command: declared}}"


def script_command(folder: Path, name: str, environ: dict[str, str] | None = None) -> str:
    """The bound command of a script, as it would run."""
    project = load_project(folder)
    entry_point = find_entry_point(project, name, environ=environ or {})
    return bind(project, entry_point, {}, caller_directory=folder, storage_directory=folder).command


def test_declared_ones_win_over_scripts(tmp_path: Path) -> None:
    (tmp_path / "x.py").touch()
    assert find_entry_point(load_text(tmp_path, TWO), "x.py").command == "declared"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("x.py", "python x.py"),
        ("x.sh", "/bin/zsh x.sh"),
        ("x.R", "Rscript -e \"mlflow::mlflow_source('x.R')\" --args"),
        ("a b.R", "Rscript -e \"mlflow::mlflow_source('a b.R')\" --args"),
        ("sub/x.py", "python sub/x.py"),
        ("a b.py", "python 'a b.py'"),
        ("-c.py", "python ./-c.py"),
        ("it's.py", "python 'it'\"'\"'s.py'"),
        ("{x}.py", "python '{x}.py'"),
        ("$(id).sh", "/bin/zsh '$(id).sh'"),
        (".sh", "/bin/zsh .sh"),
    ],
)
def test_scripts(tmp_path: Path, name: str, command: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert script_command(tmp_path, name, {"SHELL": "/bin/zsh"}) == command


@pytest.mark.parametrize(
    ("shell", "word"), [(None, "bash"), ("", "bash"), ("/my shells/{z}", "'/my shells/{z}'")]
)
def test_the_shell(tmp_path: Path, shell: str | None, word: str) -> None:
    (tmp_path / "x.sh").touch()
    environ = {} if shell is None else {"SHELL": shell}
    assert script_command(tmp_path, "x.sh", environ) == f"{word} x.sh"


def test_a_script_runs_with_undeclared_parameters(tmp_path: Path) -> None:
    name = "-odd {name} $x.sh"
    (tmp_path / name).write_text('printf "<%s>" "$@"\n')
    project = load_project(tmp_path)
    entry_point = find_entry_point(project, name, environ={})
    values = {"alpha": GivenValue("a b", "command line")}
    bound = bind(project, entry_point, values, caller_directory=tmp_path, storage_directory=tmp_path)
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "-c", bound.command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "<--alpha><a b>"


@pytest.mark.parametrize("name", ["../x.py", "/tmp/x.py", "link.py", "a\0.py", "sub/../../x.py"])
def test_scripts_outside_a_fetched_project_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.py").touch()
    project = tmp_path / "project"
    (project / "sub").mkdir(parents=True)
    (project / "link.py").symlink_to("../x.py")
    with pytest.raises(RequestError, match="is outside the project"):
        find_entry_point(load_project(project, within=project), name)


@pytest.mark.parametrize("name", ["../x.py", "link.py", "sub/../../x.py"])
def test_the_users_own_project_may_run_any_script(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.py").touch()
    (tmp_path / "project" / "sub").mkdir(parents=True)
    (tmp_path / "project" / "link.py").symlink_to("../x.py")
    assert script_command(tmp_path / "project", name) == f"python {name}"


def test_unknown_ones_list_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        find_entry_point(load_text(tmp_path, TWO), "mian")
    assert caught.value.message == "unknown entry point 'mian'; did you mean 'main'?"
    assert caught.value.hint == "entry points: main, validate, x.py; or a .py, .sh or .R file of the project"


def test_a_missing_script_suggests_one_that_exists(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    with pytest.raises(RequestError, match=r"unknown entry point 'tran\.py'; did you mean 'train\.py'\?"):
        find_entry_point(load_text(tmp_path, TWO), "tran.py")


@pytest.mark.parametrize("name", ["folder.py", "x.txt", "x.PY", "x.py/", ""])
def test_what_is_no_script(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "x.txt").touch()
    with pytest.raises(RequestError, match="entry point"):
        find_entry_point(load_project(tmp_path), name)


def test_no_mlproject_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no entry point 'main': the project has no MLproject file"):
        find_entry_point(load_project(tmp_path), "main")


def test_a_misnamed_file_says_how_to_call_it(tmp_path: Path) -> None:
    (tmp_path / "MLproject.yml").write_text(TWO)
    with pytest.raises(RequestError, match=r"no entry point 'main': MLproject\.yml is not read") as caught:
        find_entry_point(load_project(tmp_path), "main")
    assert caught.value.hint == "rename MLproject.yml to MLproject"


def test_names_with_control_characters_are_quoted(tmp_path: Path) -> None:
    project = load_text(tmp_path, 'entry_points: {"a\\eb": {command: x}}')
    with pytest.raises(RequestError) as caught:
        find_entry_point(project, "other")
    assert "\x1b" not in caught.value.message + caught.value.hint


BROKEN = """\
entry_points:
  todo: {command: }
  main: {command: run}
  odd: {command: run, parameters: [a]}
"""


def test_a_broken_entry_point_stops_only_who_asks_for_it(tmp_path: Path) -> None:
    project = load_text(tmp_path, BROKEN)
    assert find_entry_point(project, "main").command == "run"
    with pytest.raises(RequestError, match="MLproject:2:3: entry point 'todo' has no command"):
        find_entry_point(project, "todo")
    with pytest.raises(RequestError, match="MLproject:4:35: parameters must be a mapping"):
        find_entry_point(project, "odd")
    with pytest.raises(RequestError, match="unknown entry point 'tod'; did you mean 'todo'") as caught:
        find_entry_point(project, "tod")
    assert caught.value.hint.startswith("entry points: main, todo, odd;")


def test_a_project_with_a_broken_entry_point_is_read_again_each_time(tmp_path: Path) -> None:
    write_project(tmp_path / "project", BROKEN)
    for _ in range(2):
        project = load_project(tmp_path / "project", tmp_path / "cache")
        assert list(project.broken) == ["todo", "odd"]
