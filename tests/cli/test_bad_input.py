"""Mistakes in the request: one line that says what and where and what to do, exit code 2, no run."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.support.commands import Completed, run_projrun
from tests.support.projects import write_project
from tests.support.questions import ask_projrun

pytestmark = pytest.mark.processes

MLPROJECT = """\
name: demo
entry_points:
  main:
    parameters:
      alpha: float
      epochs: {type: int, default: 3}
    command: "echo {alpha} {epochs}"
  evaluate:
    command: "echo evaluate"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", MLPROJECT)


def run(tmp_path: Path, *arguments: str | Path) -> Completed:
    return run_projrun(
        "run",
        *arguments,
        cwd=tmp_path,
        environ={"PROJRUN_HOME": str(tmp_path / "home"), "PROJRUN_ENV_MANAGER": "local"},
    )


def assert_refused(tmp_path: Path, done: Completed, *fragments: str, code: int = 2) -> None:
    """One line of error, perhaps with indented detail; and nothing was recorded."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    errors = [line for line in done.stderr.splitlines() if not line.startswith(("  ", "projrun: warning"))]
    assert len(errors) == 1, done.stderr
    assert errors[0].startswith("projrun: error: ")
    for fragment in fragments:
        assert fragment in done.stderr
    assert not (tmp_path / "home" / "projrun.db").exists()
    assert not (tmp_path / "home" / "active").exists()


BROKEN_FILES = {
    "a YAML error": ("name: [\n", ("MLproject:2:1", "YAML")),
    "a missing environment file": ("python_env: missing.yaml\n", ("MLproject:1:13", "missing.yaml")),
    "an environment file outside": ("conda_env: ../conda.yaml\n", ("MLproject:1:12", "../conda.yaml")),
    "an entry point without a command": (
        "entry_points:\n  main:\n    parameters: {a: float}\n",
        ("MLproject:2", "command"),
    ),
    "a root that is no mapping": ("- a\n", ("MLproject:1:1",)),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_mlproject_file(tmp_path: Path, case: str) -> None:
    text, fragments = BROKEN_FILES[case]
    write_project(tmp_path / "project", text)
    assert_refused(tmp_path, run(tmp_path, "project"), *fragments)


def test_a_missing_folder(tmp_path: Path) -> None:
    assert_refused(tmp_path, run(tmp_path, "nowhere"), "nowhere")


def test_a_folder_without_a_file_has_no_entry_point(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    assert_refused(tmp_path, run(tmp_path, "project"), "'main'", "MLproject")


def test_a_folder_called_mlproject(tmp_path: Path) -> None:
    (tmp_path / "project" / "mlproject").mkdir(parents=True)
    assert_refused(tmp_path, run(tmp_path, "project"), "mlproject")


def test_a_file_called_mlproject_yaml(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "MLproject.yaml").write_text(MLPROJECT)
    assert_refused(tmp_path, run(tmp_path, "project"), "rename MLproject.yaml to MLproject")


def test_an_unknown_entry_point(tmp_path: Path, project: Path) -> None:
    done = run(tmp_path, project, "-e", "evalute")
    assert_refused(tmp_path, done, "'evalute'", "did you mean 'evaluate'?", "main, evaluate")


def test_all_missing_and_ill_typed_parameters_at_once(tmp_path: Path, project: Path) -> None:
    done = run(tmp_path, project, "-P", "epochs=many")
    assert_refused(tmp_path, done, "'alpha' (float) has no value", "'many'", "-P alpha=FLOAT")


def test_an_ill_typed_parameter(tmp_path: Path, project: Path) -> None:
    assert_refused(tmp_path, run(tmp_path, project, "-P", "alpha=notafloat"), "'notafloat'", "'alpha'")


def test_a_repeated_parameter(tmp_path: Path, project: Path) -> None:
    assert_refused(tmp_path, run(tmp_path, project, "-P", "alpha=1", "-P", "alpha=2"), "alpha", "-P")


def test_a_parameter_without_a_value(tmp_path: Path, project: Path) -> None:
    assert_refused(tmp_path, run(tmp_path, project, "-P", "alpha"), "alpha", "NAME=VALUE")


def test_an_undeclared_parameter_under_strict(tmp_path: Path, project: Path) -> None:
    done = run(tmp_path, project, "--strict", "-P", "alpha=1", "-P", "epoch=2")
    assert_refused(tmp_path, done, "'epoch'", "did you mean 'epochs'?")


def test_without_strict_a_near_miss_is_passed_on_with_a_warning(tmp_path: Path, project: Path) -> None:
    done = run(tmp_path, project, "-P", "alpha=1", "-P", "epoch=2").check()
    assert done.stdout == "1 3 --epoch 2\n"
    assert "did you mean 'epochs'?" in done.stderr


OPTIONS = {
    "an unknown backend": (["-b", "slrum"], ["backend", "'slrum'", "local"]),
    "an unknown environment manager": (["--env-manager", "virtualnev"], ["'virtualnev'", "'virtualenv'"]),
    "a version of a plain folder": (["-v", "v1"], ["--version", "git repository"]),
    "an unknown option": (["--experimnt-name", "x"], ["--experimnt-name"]),
    "both ways to name an experiment": (
        ["--experiment-name", "a", "--experiment-id", "1"],
        ["--experiment-name", "--experiment-id"],
    ),
    "a grace period that is no number": (["--grace-period", "soon"], ["--grace-period", "'soon'"]),
    "a missing backend config": (["-c", "missing.json"], ["--backend-config", "missing.json"]),
    "a backend config that is no JSON": (["-c", "{"], ["--backend-config", "JSON"]),
    "a missing parameters file": (["--params-file", "missing.yaml"], ["missing.yaml"]),
    "a missing env-file": (["--env-file", "missing.env"], ["--env-file", "missing.env"]),
    "an experiment that does not exist": (["--experiment-id", "77"], ["'77'"]),
    "a tracking URI of MLflow's folder": (["--tracking-uri", "./mlruns"], ["mlruns", "mlflow server"]),
    "a tracking URI of another database": (
        ["--tracking-uri", "mysql://u:secret@h/d"],
        ["mysql", "mlflow server"],
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_a_wrong_option(tmp_path: Path, project: Path, case: str) -> None:
    options, fragments = OPTIONS[case]
    done = run(tmp_path, project, "-P", "alpha=1", *options)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "secret" not in done.stderr
    for fragment in fragments:
        assert fragment in done.stderr
    listed = ask_projrun("runs", "list", "--json", environ={"PROJRUN_HOME": str(tmp_path / "home")}).check()
    assert json.loads(listed.stdout)["runs"] == []


def test_a_run_id_that_does_not_exist(tmp_path: Path, project: Path) -> None:
    done = run(tmp_path, project, "-P", "alpha=1", "--run-id", "f" * 32)
    assert done.returncode == 2
    assert f"no run '{'f' * 32}'" in done.stderr


def test_a_data_folder_that_cannot_be_written(tmp_path: Path, project: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder")
    done = run(tmp_path, project, "-P", "alpha=1")
    assert done.returncode == 2
    assert "PROJRUN_HOME" in done.stderr


def test_errors_are_json_too(tmp_path: Path, project: Path) -> None:
    done = run(tmp_path, project, "--json")
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode == 2
    assert "'alpha'" in document["error"]["message"]
    assert done.stderr.startswith("projrun: error: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rnu", "."), r"no such command 'rnu'; did you mean 'run'\? see `projrun --help`"),
        # Older clicks suggest no command, and quote no option.
        (("runs", "lst"), r"no such command 'lst';( did you mean 'list'\?)? see `projrun runs --help`"),
        (
            ("check", "--stric"),
            r"no such option:? '?--stric'?; did you mean '?--strict'?\? see `projrun check --help`",
        ),
    ],
)
def test_an_unknown_word_of_the_command_line(words: tuple[str, ...], message: str) -> None:
    done = run_projrun(*words)
    assert done.returncode == 2
    assert re.fullmatch(f"projrun: error: {message}\n", done.stderr), done.stderr


def test_a_config_file_with_a_mistake(tmp_path: Path, project: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text('env-manger = "uv"\n')
    done = run(tmp_path, project, "-P", "alpha=1")
    assert_refused(
        tmp_path, done, os.fspath(tmp_path / "home" / "config.toml"), "did you mean 'env-manager'?"
    )
