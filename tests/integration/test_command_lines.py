"""Where placeholders stand bare, the command line is MLflow's own, byte for byte."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.project.support import bind_values, load_text
from tests.project.test_quoting import AWKWARD
from tests.support.commands import run_command

pytestmark = pytest.mark.integration

THEIRS = """
import json, sys
from mlflow.projects._project_spec import EntryPoint

lines = []
for command, declared, given in json.load(open(sys.argv[1])):
    parameters = {name: {"type": "string", "default": default} for name, default in declared.items()}
    lines.append(EntryPoint("main", parameters, command).compute_command(given, None))
json.dump(lines, open(sys.argv[2], "w"))
"""

COMMANDS = [
    "python train.py {a} --b {b}",
    "python train.py --a={a},{b}",
    "cd src && python x.py {a} | tee {b}; echo done > {a}",
    "run {a} \\\n  --b {b}",
    "echo $(echo {a}) {b}",
    "echo \\'{a}\\' {b}",
    "if [ {a} = {b} ]; then run {a}; else echo 'no' \"way\"; fi",
    "for i in {a} {b}; do echo $i; done",
    "A={a} B={b} python x.py && (cd x; run {a}) || run {b}",
    "diff <(echo {a}) <(echo {b})",
    "cat <<< {a} && x=({a} {b})",
    "case {a} in {b}) echo x;; *) echo {a};; esac",
    "[[ {a} == {b} ]] && run {{a}} 2>&1 >> log",
    "bash -c 'echo \"$1\"' bash {a} {b}",
    "bash -c {a} {b}",
    'export MSG="it\'s $HOME"; run {a}\nrun {b} # the second',
]


def cases() -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """Commands with defaults and given values; undeclared ones too."""
    chosen = random.Random(9)
    values = [value for value in AWKWARD if "\udcff" not in value]
    found: list[tuple[str, dict[str, str], dict[str, str]]] = []
    for command in COMMANDS:
        found.append((command, {"a": "", "b": "x y"}, {}))
        for _ in range(12):
            given = {name: chosen.choice(values) for name in ("a", "b", "extra", "more")}
            with_extra = "# the second" not in command  # MLflow appends to the comment
            found.append((command, {"a": "1", "b": "2"}, given if with_extra else {"a": given["a"]}))
    return found


@pytest.mark.parametrize("line", ["mlflow3_python", "mlflow2_python"])
def test_bare_placeholders_give_mlflows_line(
    line: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tried = cases()
    (tmp_path / "cases.json").write_text(json.dumps(tried))
    python = request.getfixturevalue(line)
    places = [str(tmp_path / "cases.json"), str(tmp_path / "lines.json")]
    run_command([str(python), "-c", THEIRS, *places]).check()
    theirs = json.loads((tmp_path / "lines.json").read_text())
    assert len(theirs) == len(tried) > 200
    for (command, declared, given), line_of_theirs in zip(tried, theirs, strict=True):
        parameters = {name: {"default": default} for name, default in declared.items()}
        entry_points = {"main": {"command": command, "parameters": parameters}}
        project = load_text(tmp_path / "project", json.dumps({"entry_points": entry_points}))
        assert bind_values(project, given).command == line_of_theirs
