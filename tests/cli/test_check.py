from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from projrun.cli.authoring.check import check
from tests.support.commands import run_command, run_projrun
from tests.support.projects import write_project

GOOD = "entry_points: {main: {command: 'run'}}\n"
WARNING = "nmae: x\n"
ERROR = "nmae: x\nentry_points:\n  main:\n"


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (GOOD, [], 0),
        (GOOD, ["--strict"], 0),
        (WARNING, [], 0),
        (WARNING, ["--strict"], 2),
        (ERROR, [], 2),
        (ERROR, ["--strict"], 2),
    ],
)
@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_exit_codes(tmp_path: Path, text: str, options: list[str], code: int, json_option: list[str]) -> None:
    write_project(tmp_path, text)
    result = CliRunner().invoke(check, [str(tmp_path), *options, *json_option])
    assert result.exit_code == code, result.output


def test_text(tmp_path: Path) -> None:
    write_project(tmp_path, ERROR)
    result = CliRunner().invoke(check, [str(tmp_path)])
    assert result.output.splitlines() == [
        (
            "MLproject:1:1: warning: the project has an unknown key 'nmae'; did you mean 'name'? "
            "known keys: name, entry_points, python_env, conda_env, uv_env, docker_env [unknown-key]"
        ),
        "    nmae: x",
        "    ^",
        "MLproject:3:3: error: entry point 'main' has no command; add `command: …` below it [missing-command]",
        "      main:",
        "      ^",
        "1 error, 1 warning",
    ]


def test_nothing_found(tmp_path: Path) -> None:
    write_project(tmp_path, GOOD)
    assert CliRunner().invoke(check, [str(tmp_path)]).output == "no problems found\n"


def test_json_keys(tmp_path: Path) -> None:
    write_project(tmp_path, ERROR)
    document = json.loads(CliRunner().invoke(check, [str(tmp_path), "--json"]).stdout)
    assert list(document) == ["project", "errors", "warnings", "findings"]
    assert (document["project"], document["errors"], document["warnings"]) == (str(tmp_path), 1, 1)
    assert document["findings"][1] == {
        "severity": "error",
        "code": "missing-command",
        "file": "MLproject",
        "line": 3,
        "column": 3,
        "message": "entry point 'main' has no command",
        "hint": "add `command: …` below it",
    }


def test_findings_without_a_place(tmp_path: Path) -> None:
    result = CliRunner().invoke(check, [str(tmp_path / "gone"), "--json"])
    assert result.exit_code == 2
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["file"] is finding["line"] is finding["column"] is None
    assert "does not exist" in finding["message"]


@pytest.mark.parametrize("name", ["MLproject", "mlproject"])
def test_the_file_itself_may_be_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD)
    assert CliRunner().invoke(check, [str(tmp_path / name), "--strict"]).exit_code == 0


@pytest.mark.processes
def test_the_real_command_checks_the_folder_it_is_in(tmp_path: Path) -> None:
    write_project(tmp_path, ERROR)
    done = run_projrun("check", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ""
    assert json.loads(done.stdout)["project"] == "."


@pytest.mark.processes
def test_the_command_line_imports_its_readers_late(tmp_path: Path) -> None:
    script = (
        "import sys, projrun.cli.authoring.check;"
        "print([name for name in sys.modules if name.startswith(('yaml', 'projrun.project', 'json', 'rich'))])"
    )
    assert run_command([sys.executable, "-c", script], cwd=tmp_path).check().stdout == "[]\n"


@pytest.mark.processes
@pytest.mark.parametrize("key", ["python_env", "conda_env"])
@pytest.mark.parametrize("named", ["../secret.yaml", "{folder}/secret.yaml", "link.yaml", "sub/link.yaml"])
def test_no_line_of_a_file_outside_the_project_is_shown(key: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("root:x: hunter2: [\n")
    text = f"{key}: {named.format(folder=tmp_path)}\nentry_points: {{main: {{command: 'true'}}}}\n"
    project = write_project(tmp_path / "project", text)
    (project / "sub").mkdir()
    for link in ("link.yaml", "sub/link.yaml"):
        (project / link).symlink_to(tmp_path / "secret.yaml")
    for words in (("check",), ("plan",), ("plan", "--env-manager=virtualenv"), ("envs", "path")):
        done = run_projrun(*words, project, environ={"PROJRUN_HOME": str(tmp_path / "home")})
        assert done.returncode == 2
        assert "secret.yaml:1:" in done.stdout + done.stderr or "link.yaml:1:" in done.stdout + done.stderr
        assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.processes
def test_no_line_of_a_linked_mlproject_is_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("root:x: hunter2: [\n")
    project = write_project(tmp_path / "project", "")
    (project / "MLproject").unlink()
    (project / "MLproject").symlink_to(tmp_path / "secret")
    for command in ("check", "plan"):
        done = run_projrun(command, project, environ={"PROJRUN_HOME": str(tmp_path / "home")})
        assert "MLproject:1:" in done.stdout + done.stderr
        assert "hunter2" not in done.stdout + done.stderr


def test_lines_with_secrets_are_not_shown(tmp_path: Path) -> None:
    text = "entry_points:\n  main:\n    parameters:\n      p: {secret: true, default: hunter2, typ: x}\n"
    text += "    command: run\n"
    write_project(tmp_path, text)
    output = CliRunner().invoke(check, [str(tmp_path)]).output
    assert "secret-default" in output
    assert "hunter2" not in output


def test_strict_makes_warnings_errors(tmp_path: Path) -> None:
    write_project(tmp_path, WARNING)
    output = CliRunner().invoke(check, [str(tmp_path), "--strict"]).output
    assert "MLproject:1:1: error: the project has an unknown key" in output
    assert output.endswith("1 error, 0 warnings\n")
