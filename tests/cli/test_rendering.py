"""What a project's author or a server wrote reaches a terminal as text, never as orders to it."""

from __future__ import annotations

import ast
import io
import json
import re
from pathlib import Path

import pytest

from projrun.cli.rendering import (
    error_text,
    print_facts,
    print_json,
    print_text,
    print_warning,
    time_text,
    visible,
)
from projrun.cli.tables import Table, print_table, time_cell
from projrun.cli.views.runs import TABLE
from projrun.errors import RequestError
from projrun.reporting import SilentReporter
from tests.support.code import nodes
from tests.support.commands import run_projrun
from tests.support.guard import REPOSITORY
from tests.support.projects import write_project
from tests.support.terminals import on_a_terminal

HIDDEN = "echo shown; echo hidden \\e[2K\\r"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 \u00a0 a\nb\tc", "plain é 日本 \u00a0 a\nb\tc"),
        ("a\rb\x1b[2K\x07\x00", "a\\rb\\x1b[2K\\x07\\x00"),
        ("\x9b31m \x85 \x7f", "\\x9b31m \\x85 \\x7f"),
        ("\u202egnp.exe\u200b", "\\u202egnp.exe\\u200b"),
        ("\udc80", "\\udc80"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
    ],
)
def test_what_a_terminal_would_obey_is_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_newline_in_a_name_begins_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts([("name", "a\nprojrun: error: forged")])
    print_table(Table("names", ("NAME", "OTHER")), [("a\nforged", "b\tc")])
    print_warning("a\nforged")
    shown = capsys.readouterr()
    assert shown.out == "name         a\\nprojrun: error: forged\nNAME\tOTHER\na\\nforged\tb\\tc\n"
    assert shown.err == "projrun: warning: a\n  forged\n"


def test_the_api_says_nothing_raw_either() -> None:
    with pytest.warns(UserWarning, match=r"a\\x1b\[2K"):
        SilentReporter().warning("a\x1b[2K")
    error = RequestError("a\x1b[2K\u202e")
    assert (str(error), error.message) == ("a\\x1b[2K\\u202e", "a\x1b[2K\u202e")


def test_json_is_escaped_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"a\x9b": "日本 \u202e \u2028 \x7f \udc80 \U000e0001 \n"}
    print_json(document)
    shown = capsys.readouterr().out
    assert json.loads(shown) == document
    assert shown == ('{\n  "a\\u009b": "日本 \\u202e \\u2028 \\u007f \\udc80 \\udb40\\udc01 \\n"\n}\n')


WRITERS = {"print", "echo", "secho", "write", "writelines"}
ALLOWED = {
    ("rendering.py", "write"),  # where all text passes
    ("rendering.py", "echo"),  # the same for other encodings
    ("__init__.py", "print"),  # the version, which is ours
    ("bugs.py", "write"),  # the report's file
    ("execution.py", "write"),  # a newline after `^C`
    ("redirected.py", "write"),  # JSON in ASCII, for another process
    ("detached.py", "write"),  # the same
    ("following.py", "write"),  # the command's own output
    ("recorded.py", "write"),  # the same, from the record
    ("junit.py", "write"),  # a file
    ("summary.py", "write"),  # another
    ("view.py", "write"),  # another, of a gate
    ("exporting.py", "write"),  # lines of JSON for programs
    ("places.py", "write"),  # whether the disk takes anything
    ("reporter.py", "print"),  # an escaped line above the spinner
    ("reporter.py", "write"),  # a mark for the CI system, of escaped texts
    ("predict.py", "write"),  # the answers of a model, in JSON for programs
}


def test_nothing_else_writes() -> None:
    """All that people read passes one place, so no command can forget to escape."""
    found = {
        (file.name, word)
        for file in (REPOSITORY / "projrun" / "cli").rglob("*.py")
        for node in nodes(file)
        if isinstance(node, ast.Call)
        and (word := getattr(node.func, "attr", getattr(node.func, "id", ""))) in WRITERS
    }
    assert found == ALLOWED


@pytest.mark.integration
def test_a_command_cannot_hide_itself(tmp_path: Path) -> None:
    project = write_project(
        tmp_path / "project", f'entry_points: {{main: {{command: "true {HIDDEN}"}}}}\nname: "a\\rb"\n'
    )
    for command in ("plan", "run"):
        shown = on_a_terminal(command, project, home=tmp_path / "home").replace("\r\n", "\n")
        line = next(line for line in shown.splitlines() if "echo hidden \\x1b[2K\\r" in line)
        assert "true echo shown" in line


@pytest.mark.integration
def test_a_recorded_value_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", "entry_points: {main: {command: 'true'}}\n")
    environ = {"PROJRUN_HOME": str(tmp_path / "home")}
    done = run_projrun(
        *("run", project, "-P", "x=\x1b]0;title\x07", "--json", "--env-manager=local"), environ=environ
    ).check()
    for arguments in (("list",), ("show", json.loads(done.stdout)["run_id"])):
        shown = on_a_terminal("runs", *arguments, home=tmp_path / "home")
        assert "\x1b]0;" not in shown
        assert "\x07" not in shown


@pytest.mark.integration
def test_a_narrow_terminal_gets_fewer_columns_and_no_broken_words(tmp_path: Path) -> None:
    project = write_project(
        tmp_path / "project",
        "entry_points:\n  main:\n    parameters: {learning_rate: {type: float, default: 0.125}}\n    command: 'true'\n",
    )
    assert "finished" in on_a_terminal("run", project, home=tmp_path / "home")
    heads = {}
    for columns in (60, 80, 160):
        shown = on_a_terminal("runs", "list", home=tmp_path / "home", columns=columns)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n").splitlines()
        assert all(len(line) <= columns for line in lines)
        heads[columns] = [column for column in TABLE.columns if column in lines[0]]
        missing = len(TABLE.columns) - len(heads[columns])
        said = f"{missing} column{'s' * (missing > 1)} hidden: --columns, --json"
        assert (said in lines) == bool(missing)
        assert "FINISHED" in shown
    assert heads[60][:3] == ["RUN", "NAME", "STATUS"]
    assert len(heads[60]) <= len(heads[80]) < len(heads[160]) == len(TABLE.columns)
    assert "learning_rate=0.125" in on_a_terminal("runs", "list", home=tmp_path / "home", columns=160)


@pytest.mark.parametrize("milliseconds", [10**30, 10**400, -(10**17), 10**15])
def test_a_time_in_no_calendar_is_a_number(milliseconds: int) -> None:
    assert time_text(milliseconds) == str(milliseconds)
    assert time_cell(milliseconds).shown == str(milliseconds)


class Screen(io.TextIOWrapper):
    """A terminal, as far as streams say so."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """What was written."""
        self.seek(0)
        return self.read()


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "CLICOLOR": "0"}, False),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "1"}, True),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "0"}, False),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_errors_and_warnings_in_colour(
    environ: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    print_warning("a\x1b[2Kb")
    print_text(error_text(RequestError("wrong", hint="mend it")), err=True)
    print_text("projrun: errors are red", err=True)
    warning, error = "projrun: warning:", "projrun: error:"
    if coloured:
        warning, error = f"\x1b[33m{warning}\x1b[0m", f"\x1b[31m{error}\x1b[0m"
    assert screen.text == f"{warning} a\\x1b[2Kb\n{error} wrong; mend it\nprojrun: errors are red\n"


def test_wide_characters_and_numbers_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character may be two wide; a number is whole, whatever it costs the others."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "24")
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    table = Table("things", ("NAME", "VALUE"), cutting=("NAME", "VALUE"))
    print_table(table, [("葡萄酒" * 9, "-1.7976931348623157"), ("a\tb", {"x": "1", "y": "2.5"}), ("c", "")])
    lines = screen.text.splitlines()
    assert lines[1] == "葡…   -1.7976931348623157", (
        "25 columns: more than there are, since a number is not broken"
    )
    assert lines[2] == "a\\tb  x=1 y=2.5"
