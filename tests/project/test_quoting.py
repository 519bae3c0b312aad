"""What the user types is what the child sees, through a real bash and a real Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projrun.project.binding import GivenValue, bind
from projrun.project.command import render
from projrun.project.entry_points import find_entry_point
from projrun.project.loader import load_project
from tests.support.examples import examples

BASH = shutil.which("bash") or "bash"
CHILD = "import json, sys; json.dump([w.encode('utf-8', 'surrogateescape').hex() for w in sys.argv[1:]], sys.stdout)"

AWKWARD = [
    *[
        "",
        " ",
        "\n",
        "\t",
        "a\nb",
        "trailing\n",
        "\r\n",
        "'",
        '"',
        "'\"'",
        "\\",
        "\\\\",
        "\\'",
        "a\\",
        "`id`",
        "$(id)",
    ],
    *[
        "$HOME",
        "${HOME}",
        "$'x'",
        "$((1+1))",
        "!",
        "!!",
        "*",
        "?",
        "[a-z]*",
        "~",
        "~root",
        "{a,b}",
        "{1..3}",
        "{}",
    ],
    *[
        "{{",
        "}}",
        "{value}",
        "{0}",
        "-",
        "--",
        "-n",
        "--help",
        "-e x",
        "#",
        "# x",
        ";",
        "; id",
        "&",
        "&& id",
        "|",
        "> x",
    ],
    *[
        "<(id)",
        "a=b",
        "=x",
        "é",
        "日本語",
        "🎉",
        "\u202e",
        "\u2028",
        "\ufeff",
        "\x01",
        "\x7f",
        "\x1b[31m",
        "\udcff",
        "%s",
    ],
    *[
        "((",
        "))",
        "x" * 5000,
        "\\n",
        "\\x41",
        "a b  c ",
        "\xa0",
        "NaN",
        "true",
        "null",
        "EOF",
        "<<EOF",
        "^a^b",
        "é",
    ],
]
"""The last but one of the unicode ones is a byte that is not UTF-8, as a shell's word may hold."""

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40) | st.sampled_from(
    AWKWARD
)


def seen_by_child(command: str) -> list[str]:
    """What the words of a command line are in the child's `sys.argv`."""
    done = subprocess.run([BASH, "-c", command], capture_output=True, check=True, timeout=60)
    return [bytes.fromhex(word).decode("utf-8", "surrogateescape") for word in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A command that prints its arguments."""
    script = tmp_path_factory.mktemp("child") / "child.py"
    script.write_text(CHILD)
    return render("{python} {script}", {"python": sys.executable, "script": str(script)})


def test_awkward_values_survive(child: str) -> None:
    names = [f"p{number}" for number in range(len(AWKWARD))]
    template = " ".join(f"{{{name}}}" for name in names)
    for literal in ("", "${HOME:+} "):  # both ways of reading a command
        line = render(f"{child} {literal}{template}", dict(zip(names, AWKWARD, strict=True)))
        assert seen_by_child(line) == AWKWARD


@pytest.mark.processes
@settings(max_examples=examples(25))
@given(values=st.lists(VALUES, min_size=1, max_size=60))
def test_any_value_survives(child: str, values: list[str]) -> None:
    names = [f"p{number}" for number in range(len(values))]
    template = " ".join(f"--{name}={{{name}}}" for name in names)
    line = render(f"{child} {template}", dict(zip(names, values, strict=True)))
    expected = [f"--{name}={value}" for name, value in zip(names, values, strict=True)]
    assert seen_by_child(line) == expected


@pytest.mark.processes
@settings(max_examples=examples(25))
@given(values=st.lists(VALUES, min_size=2, max_size=60))
def test_declared_and_undeclared_values_survive_a_project(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "project"
    prepare(folder)
    project = load_project(folder)
    given_values = {"declared": GivenValue(values[0], "command line")}
    given_values |= {f"x{n}": GivenValue(value, "command line") for n, value in enumerate(values[1:])}
    entry_point = find_entry_point(project, "main")
    bound = bind(project, entry_point, given_values, caller_directory=folder, storage_directory=folder)
    options = [word for n, value in enumerate(values[1:]) for word in (f"--x{n}", value)]
    assert seen_by_child(bound.command) == [values[0], *options]


def prepare(folder: Path) -> None:
    """A project whose `main` prints its arguments."""
    if folder.exists():
        return
    folder.mkdir()
    (folder / "child.py").write_text(CHILD)
    (folder / "MLproject").write_text(
        "entry_points:\n  main:\n    parameters: {declared: string}\n    command: |\n"
        f"      {sys.executable} {folder}/child.py {{declared}}\n"
    )
