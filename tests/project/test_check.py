from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.project.check import Finding, check_project
from tests.project.test_loader import VALUES

GOOD = """\
name: good
python_env: python_env.yaml
x-note: kept for another tool
entry_points:
  main:
    description: what it does
    parameters:
      alpha: {type: float, default: 0.1, min: 0, max: 1, choices: [0.1, 0.2]}
      data: {type: path, default: MLproject}
      token: {secret: true}
    command: "python train.py {alpha} {data} ${HOME} {{literal}}"
"""


def check_text(folder: Path, text: str) -> list[Finding]:
    """The findings of a project whose MLproject file holds `text`."""
    (folder / "MLproject").write_text(text)
    return list(check_project(folder))


def parameter_findings(folder: Path, declaration: str, command: str = "run {p}") -> list[Finding]:
    """The findings of a project with one parameter."""
    text = f"entry_points:\n  main:\n    parameters:\n      p: {declaration}\n    command: '{command}'\n"
    return check_text(folder, text)


def places(findings: list[Finding]) -> list[tuple[str, str]]:
    """Each finding's code and place."""
    return [(finding.code, str(finding.location)) for finding in findings]


def test_a_good_project_has_no_findings(tmp_path: Path) -> None:
    (tmp_path / "python_env.yaml").write_text("dependencies: [numpy]\n")
    (tmp_path / "train.py").touch()
    assert check_text(tmp_path, GOOD) == []


def test_everything_is_collected_in_the_files_order(tmp_path: Path) -> None:
    text = """\
nmae: x
python_env: gone.yaml
conda_env: gone.yaml
entry_points:
  first:
    comand: run
  main:
    parameters:
      alpha: float
      alpha: {type: flaot, defualt: 1}
      beta: {type: float, min: low, default: high}
    command: run {alpha} {gamma}
"""
    findings = check_text(tmp_path, text)
    assert places(findings) == [
        ("unknown-key", "MLproject:1:1"),
        ("environment-file", "MLproject:2:13"),
        ("two-environments", "MLproject:3:1"),
        ("environment-file", "MLproject:3:12"),
        ("missing-command", "MLproject:5:3"),
        ("misspelt-key", "MLproject:6:5"),
        ("duplicate-key", "MLproject:10:7"),
        ("unknown-type", "MLproject:10:21"),
        ("unknown-key", "MLproject:10:28"),
        ("unused-parameter", "MLproject:11:7"),
        ("not-a-number", "MLproject:11:32"),
        ("bad-default", "MLproject:11:46"),
        ("unknown-placeholder", "MLproject:12:26"),
    ]
    messages = {finding.code: finding.message for finding in findings}
    assert messages["unknown-type"].endswith("did you mean 'float'?")
    assert [finding.severity for finding in findings].count("error") == 6


@pytest.mark.parametrize(
    ("text", "wrong", "meant"),
    [
        ("entry_point: {}\nentry_points: {}", "entry_point", "entry_points"),
        ("docker-env: x\ndocker_env: {image: x}", "docker-env", "docker_env"),
        ("docker_env: {image: a, volume: []}", "volume", "volumes"),
        ("entry_points: {main: {command: x, parameter: {}, parameters: {}}}", "parameter", "parameters"),
        ("entry_points: {main: {command: x, outputs: {metric: []}}}", "metric", "metrics"),
        ("entry_points: {main: {command: '{p}', parameters: {p: {typ: float}}}}", "typ", "type"),
    ],
)
def test_unknown_keys_at_every_level(tmp_path: Path, text: str, wrong: str, meant: str) -> None:
    (finding,) = check_text(tmp_path, text)
    assert (finding.severity, finding.code) == ("warning", "unknown-key")
    assert f"{wrong!r}; did you mean {meant!r}?" in finding.message
    assert meant in finding.hint


@pytest.mark.parametrize(
    ("text", "wrong", "meant"),
    [
        ("entry_point: {}", "entry_point", "entry_points"),
        ("conda-env: x", "conda-env", "conda_env"),
        ("entry_points: {main: {command: x, paramaters: {}}}", "paramaters", "parameters"),
        ("entry_points:\n  main:\n    command:x: y\n    command: x", "command:x", ""),
    ],
)
def test_a_misspelt_key_is_an_error_where_the_right_one_is_absent(
    tmp_path: Path, text: str, wrong: str, meant: str
) -> None:
    (finding,) = check_text(tmp_path, text)
    if meant:
        assert (finding.severity, finding.code, finding.hint) == (
            "error",
            "misspelt-key",
            f"write `{meant}:`",
        )
    assert repr(wrong) in finding.message


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("entry_points: {main: {command: x, conda_env: y}}", "MLproject:1:35", "belongs to the project"),
        ("parameters: {}\nentry_points: {}", "MLproject:1:1", "belongs to an entry point"),
    ],
)
def test_keys_at_another_level(tmp_path: Path, text: str, place: str, hint: str) -> None:
    (finding,) = check_text(tmp_path, text)
    assert (finding.severity, finding.code, str(finding.location)) == ("warning", "misplaced-key", place)
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("declaration", "place", "hint"),
    [
        ("type:int", "MLproject:4:10", "write `type: int`, with a space"),
        ("{type:int}", "MLproject:4:11", "write `type: int`, with a space"),
        ("{type: int, default:10}", "MLproject:4:22", "write `default: 10`, with a space"),
        ("\n        type:int\n        default:10", "MLproject:5:9", "write `type: int`, with a space"),
    ],
)
def test_colons_without_a_space(tmp_path: Path, declaration: str, place: str, hint: str) -> None:
    (finding,) = parameter_findings(tmp_path, declaration)
    assert (finding.severity, finding.code, str(finding.location)) == ("warning", "no-space", place)
    assert finding.hint == hint


def test_an_empty_file(tmp_path: Path) -> None:
    (finding,) = check_text(tmp_path, "# nothing\n")
    assert (finding.severity, finding.code) == ("warning", "empty-file")


def test_scripts_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    command = (
        "python -u trian.py && bash ./run.sh; python train.py; python {p}.py; python -m a.py; python /x.py"
    )
    findings = parameter_findings(tmp_path, "string", command)
    assert places(findings) == [("missing-script", "MLproject:5:25"), ("missing-script", "MLproject:5:44")]
    assert (
        findings[0].message
        == "the command runs trian.py, which is not in the project; did you mean 'train.py'?"
    )
    assert parameter_findings(tmp_path, "string", "cd x && python gone.py {p}") == []


def test_doubled_braces(tmp_path: Path) -> None:
    (finding,) = parameter_findings(tmp_path, "string", "run {{p}}")
    assert finding.code == "unused-parameter"
    assert finding.message.endswith("never uses the parameter 'p': doubled braces stay braces")


@pytest.mark.parametrize(
    ("name", "text", "severity", "code"),
    [
        ("python_env.yaml", "dependencis: [numpy]", "error", "misspelt-key"),
        ("python_env.yaml", "dependencis: [a]\ndependencies: [b]", "warning", "unknown-key"),
        ("conda.yaml", "dependancies: [numpy]", "error", "misspelt-key"),
        ("conda.yaml", "dependencies: [numpy]\nchanels: [x]", "warning", "unknown-key"),
    ],
)
def test_keys_of_environment_files(tmp_path: Path, name: str, text: str, severity: str, code: str) -> None:
    (tmp_path / name).write_text(text)
    (finding,) = check_text(tmp_path, "name: x\n")
    assert (finding.severity, finding.code) == (severity, code)
    assert "did you mean" in finding.message


@pytest.mark.parametrize(
    ("declaration", "command", "code", "place"),
    [
        ("choice", "run {p}", "unknown-type", "MLproject:4:10"),
        ("{type: choice}", "run {p}", "unknown-type", "MLproject:4:17"),
        ("{type: int, default: 1.5}", "run {p}", "bad-default", "MLproject:4:31"),
        ("{type: int, default: 5, max: 4}", "run {p}", "bad-default", "MLproject:4:31"),
        ("{choices: [a, b], default: c}", "run {p}", "bad-default", "MLproject:4:37"),
        ("{pattern: a+, default: b}", "run {p}", "bad-default", "MLproject:4:33"),
        ("{type: path, default: gone}", "run {p}", "missing-path", "MLproject:4:32"),
        ("{type: uri, default: gone}", "run {p}", "bad-default", "MLproject:4:31"),
        ("{type: string, min: 1}", "run {p}", "useless-limit", "MLproject:4:25"),
        ("{type: int, choices: [1, b]}", "run {p}", "bad-choice", "MLproject:4:31"),
        ("float", "run", "unused-parameter", "MLproject:4:7"),
        ("{secret: true}", "run {p}", "secret-in-command", "MLproject:4:7"),
        ("{secret: true, default: x}", "run", "secret-default", "MLproject:4:34"),
        ("float", "run {p} {q}", "unknown-placeholder", "MLproject:5:23"),
        ("float", "run {p} ${p}", "dollar-placeholder", "MLproject:5:23"),
    ],
)
def test_warnings(tmp_path: Path, declaration: str, command: str, code: str, place: str) -> None:
    findings = parameter_findings(tmp_path, declaration, command)
    assert places(findings) == [(code, place)]
    assert findings[0].severity == "warning"
    assert findings[0].hint or code == "bad-choice"


@pytest.mark.parametrize(
    ("declaration", "command", "code", "place"),
    [
        ("string", "run {p} `cat {p}`", "unsafe-place", "MLproject:6:20"),
        ("{default: plain}", "run ${X:-{p}}", "unsafe-place", "MLproject:6:16"),
        ("string", "run {p} # {p}", "unsafe-place", "MLproject:6:17"),
        ("string", "python -c 'print(\"{p}\")'", "value-as-code", "MLproject:6:25"),
        ("string", "awk '/{p}/' x", "value-as-code", "MLproject:6:13"),
        ("string", "ssh host run {p}.", "value-as-code", "MLproject:6:20"),
        ("string", "python - <<EOF\n      x = '{p}'\n      EOF", "value-as-code", "MLproject:7:12"),
        ("string", "bash -c {p}", "value-as-code", "MLproject:6:15"),
        ("{default: a b}", "run `cat {p}`", "unsafe-place", "MLproject:6:16"),
    ],
)
def test_places_of_values(tmp_path: Path, declaration: str, command: str, code: str, place: str) -> None:
    text = (
        f"entry_points:\n  main:\n    parameters:\n      p: {declaration}\n    command: |\n      {command}\n"
    )
    findings = check_text(tmp_path, text)
    assert places(findings) == [(code, place)]
    assert findings[0].severity == ("error" if "a b" in declaration else "warning")
    assert findings[0].hint


@pytest.mark.parametrize("declaration", ["float", "int", "bool", "{type: int, default: 3}"])
def test_numbers_are_safe_everywhere(tmp_path: Path, declaration: str) -> None:
    assert parameter_findings(tmp_path, declaration, "run `cat {p}` $(( {p} )) # {p}") == []


def test_an_open_quote_is_reported_once(tmp_path: Path) -> None:
    findings = parameter_findings(tmp_path, "string", 'run {p} "{p} {p}')
    assert places(findings) == [("unsafe-place", "MLproject:5:19")]


def test_a_used_parameter_beside_an_unknown_placeholder_counts_as_used(tmp_path: Path) -> None:
    findings = parameter_findings(tmp_path, "float", "run {{p}} {p} {q}")
    assert [finding.code for finding in findings] == ["unknown-placeholder"]


@pytest.mark.parametrize("default", ["s3://bucket/key", "MLproject"])
def test_default_paths_that_exist_or_are_downloaded(tmp_path: Path, default: str) -> None:
    assert parameter_findings(tmp_path, f"{{type: path, default: '{default}'}}") == []


def test_a_command_that_no_process_takes(tmp_path: Path) -> None:
    (finding,) = check_text(tmp_path, 'entry_points: {main: {command: "a\\0b"}}')
    assert (finding.severity, finding.code) == ("error", "bad-command")


def test_secrets_are_in_no_finding(tmp_path: Path) -> None:
    findings = parameter_findings(tmp_path, "{type: int, secret: true, default: hunter2, min: low}")
    assert len(findings) == 4
    assert not any("hunter2" in finding.message + finding.hint for finding in findings)


@pytest.mark.parametrize(
    ("name", "text", "place", "problem"),
    [
        ("python_env.yaml", "dependencies: [", "python_env.yaml:1:16", "YAML: "),
        ("python_env.yaml", "- numpy\n", "python_env.yaml:1:1", "must be a mapping"),
        ("python_env.yaml", "", "python_env.yaml:1:1", "must be a mapping"),
        ("conda.yaml", "\tname: x", "conda.yaml:1:1", "YAML: "),
        ("requirements.txt", "é", "requirements.txt:1:1", "not UTF-8"),
    ],
)
def test_broken_environment_files(tmp_path: Path, name: str, text: str, place: str, problem: str) -> None:
    (tmp_path / name).write_text(text, encoding="latin-1")
    (finding,) = check_text(tmp_path, "name: x\n")
    assert (finding.severity, finding.code) == ("error", "environment-file")
    assert str(finding.location) == place
    assert problem in finding.message


def test_a_broken_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = \n")
    (finding,) = check_text(tmp_path, "name: x\n")
    assert (finding.severity, finding.code) == ("error", "environment-file")
    assert finding.message.startswith("pyproject.toml: ")


def test_a_good_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert check_text(tmp_path, "name: x\n") == []


def test_a_misnamed_file(tmp_path: Path) -> None:
    (tmp_path / "MLproject.yaml").touch()
    (finding,) = check_project(tmp_path)
    assert (finding.severity, finding.code, finding.hint) == (
        "error",
        "misnamed-file",
        "rename it to MLproject",
    )
    (finding,) = check_text(tmp_path, "name: x\n")
    assert (finding.severity, finding.code) == ("warning", "misnamed-file")


def test_no_file(tmp_path: Path) -> None:
    (finding,) = check_project(tmp_path)
    assert (finding.severity, finding.code, finding.location) == ("warning", "no-mlproject", None)


@pytest.mark.parametrize("name", ["gone", "file", "broken", "folder", "link"])
def test_what_cannot_be_read_is_a_finding(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    for folder in ("broken", "folder/MLproject", "link"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "broken" / "MLproject").write_text("a: [")
    (tmp_path / "link" / "conda.yaml").symlink_to(tmp_path / "file")
    (tmp_path / "link" / "MLproject").write_text("name: x")
    (finding,) = check_project(tmp_path / name)
    assert finding.severity == "error"


@given(st.binary(max_size=200) | VALUES.map(lambda text: f"entry_points: {{main: {text}}}".encode()))
def test_never_raises(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "checked"
    folder.mkdir(exist_ok=True)
    (folder / "MLproject").write_bytes(data)
    for finding in check_project(folder):
        assert "\n" not in finding.message
        assert finding.message.isprintable()


def test_a_duplicate_key_of_an_environment_file_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("python: 3.10\ndependencies: []\npython: 3.11\n")
    [finding] = check_text(tmp_path, "python_env: env.yaml\n")
    assert (finding.severity, finding.code, str(finding.location)) == (
        "warning",
        "duplicate-key",
        "env.yaml:3:1",
    )
