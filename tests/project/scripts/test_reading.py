"""What is read of command lines, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.scripts.description import Command, Option, Script
from projrun.project.scripts.needs import imported_needs, inline_needs, python_for
from projrun.project.scripts.reading import read_script
from projrun.project.scripts.syntax import Module
from tests.support import user_scripts


def module(folder: Path, text: str) -> Module:
    (folder / "script.py").write_text(text)
    return Module(folder / "script.py")


def read(folder: Path, text: str) -> Script:
    return read_script(module(folder, text), folder)


def options(folder: Path, text: str) -> dict[str, Option]:
    """Of a script with one command."""
    (command,) = read(folder, text).commands
    return {one.name: one for one in command.options}


def argparse_option(folder: Path, arguments: str) -> Option:
    text = f"import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument({arguments})\n"
    (found,) = options(folder, text).values()
    return found


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ("'data'", Option("data")),
        (
            "'--lr', type=float, default=1e-3, help='%(default)s  of\\n it'",
            Option("lr", "--lr", type="float", default="1e-3", help=" of it"),
        ),
        (
            "'-n', '--num-steps', type=int, default=-1",
            Option("num_steps", "--num-steps", type="int", default="-1"),
        ),
        ("'-n', dest='steps', type=int, required=True", Option("steps", "-n", type="int")),
        (
            "'--kind', choices=('a', 'b'), default='a'",
            Option("kind", "--kind", default="a", choices=("a", "b")),
        ),
        (
            "'--deep', default=0.5",
            Option("deep", "--deep", left_out="has no type: the script would get text"),
        ),
        (
            "'--flag', type=bool, default=False",
            Option("flag", "--flag", type="bool", left_out="has type=bool, which takes any text as true"),
        ),
        ("'--flag', action='store_true', default=False", Option("flag", "--flag", "switch", "bool", "false")),
        (
            "'--no-flag', action='store_false', dest='flag'",
            Option("no_flag", "--no-flag", "switch", "bool", "false"),
        ),
        (
            "'--x', action=argparse.BooleanOptionalAction, default=True",
            Option("x", "--x", "switch", "bool", "true", "--no-x"),
        ),
        (
            "'--tag', action='append'",
            Option("tag", "--tag", left_out="may be repeated, or has an action of its own"),
        ),
        ("'--n', nargs=2, type=int, default=[1, 2]", Option("n", "--n", "list", default="1 2")),
        ("'--n', nargs='*', default=['a b']", Option("n", "--n", "list", left_out="has no default")),
        ("'n', nargs='?'", Option("n", left_out="has no default")),
        ("'--x', default=compute()", Option("x", "--x", left_out="is computed")),
        ("'--x', help=argparse.SUPPRESS", Option("x", "--x", left_out="is hidden")),
        ("'--x', type=positive, default=3", Option("x", "--x", type="int", default="3")),
        (
            "'--in', type=argparse.FileType('r'), default='script.py'",
            Option("in", "--in", type="path", default="script.py"),
        ),
        ("'--out', type=pathlib.Path, default='missing'", Option("out", "--out", default="missing")),
    ],
)
def test_options_of_argparse(tmp_path: Path, arguments: str, option: Option) -> None:
    found = argparse_option(tmp_path, arguments)
    assert found._replace(help=found.help.strip()) == option._replace(help=option.help.strip())


def test_constants_groups_parents_and_helpers_of_argparse(tmp_path: Path) -> None:
    text = """\
import argparse as ap
LR: float = 0.5
common = ap.ArgumentParser(add_help=False)
common.add_argument("--seed", type=int, default=1)
def add(p):
    p.add_argument("--late", type=int, default=2)
parser = ap.ArgumentParser(parents=[common])
group = parser.add_argument_group("g")
group.add_argument("--lr", type=float, default=LR)
one = parser.add_mutually_exclusive_group()
one.add_argument("--cpu", action="store_true")
one.add_argument("--gpu", type=int, default=0)
add(parser)
"""
    found = options(tmp_path, text)
    assert {name: one.default for name, one in found.items() if not one.left_out} == {
        "seed": "1", "lr": "0.5", "cpu": "false", "late": "2",
    }  # fmt: skip
    assert found["gpu"].left_out == "excludes other options"


def test_subcommands_of_argparse(tmp_path: Path) -> None:
    text = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
sub = parser.add_subparsers(dest="command")
train = sub.add_parser("train")
train.add_argument("--lr", type=float, default=0.1)
sub.add_parser("score")
"""
    seed = Option("seed", "--seed", type="int", default="1")
    assert read(tmp_path, text).commands == (
        Command(("train",), (Option("lr", "--lr", type="float", default="0.1"),), (seed,)),
        Command(("score",), (), (seed,)),
    )


def test_commands_of_click(tmp_path: Path) -> None:
    fit, score = read(tmp_path, user_scripts.CLICK).commands
    assert (fit.words, score.words) == (("fit",), ("score-all",))
    assert (
        fit.shared == score.shared == (Option("debug", "--debug", "switch", "bool", "false", "--no-debug"),)
    )
    assert {one.name: (one.type, one.default) for one in fit.options if not one.left_out} == {
        "data": ("path", None), "lr": ("float", "0.1"), "steps": ("int", "5"), "kind": ("string", "a"),
        "size": ("string", "1 2"), "flag": ("bool", "false"),
    }  # fmt: skip
    steps = next(one for one in fit.options if one.name == "steps")
    assert (steps.flag, steps.minimum, steps.maximum) == ("--num-steps", "1", "100")


def test_one_command_of_click(tmp_path: Path) -> None:
    text = "from click import command, option\n@command()\n@option('--x', prompt=True)\ndef main(x): ...\n"
    assert read(tmp_path, text) == Script("click", (Command((), (Option("x", "--x"),)),))


def test_typer(tmp_path: Path) -> None:
    found = options(tmp_path, user_scripts.TYPER)
    assert {name: (one.flag, one.type, one.default) for name, one in found.items() if not one.left_out} == {
        "data": ("", "string", None), "lr": ("--lr", "float", "0.1"), "steps": ("--steps", "int", "3"),
        "kind": ("--kind", "string", "fast"), "verbose": ("--verbose", "bool", "false"),
        "out": ("--out", "string", "a b"), "must": ("--must", "int", None),
    }  # fmt: skip
    assert found["kind"].choices == ("fast", "slow")
    app = "import typer\napp = typer.Typer()\n@app.command()\ndef a(x_y: bool = True): ...\n"
    app += "@app.command('bee')\ndef b(): ...\n"
    commands = read(tmp_path, app).commands
    assert [one.words for one in commands] == [("a",), ("bee",)]
    assert commands[0].options == (Option("x_y", "--x-y", "switch", "bool", "true", "--no-x-y"),)


def test_fire(tmp_path: Path) -> None:
    found = options(tmp_path, user_scripts.FIRE)
    assert found["data"] == Option("data", "--data")
    assert found["fast"] == Option("fast", "--fast", type="bool", default="False", choices=("True", "False"))
    text = "import fire\nclass M:\n    def __init__(self, a=1): ...\n    def fit(self, b: float): ...\n"
    text += "    def _no(self): ...\nfire.Fire(M)\n"
    shared = (Option("a", "--a", type="int", default="1"),)
    assert read(tmp_path, text).commands == (Command(("fit",), (Option("b", "--b", type="float"),), shared),)
    several = "import fire\ndef f(): ...\ndef g(): ...\nfire.Fire({'one': f, 'two': g})\n"
    assert [one.words for one in read(tmp_path, several).commands] == [("one",), ("two",)]


@pytest.mark.parametrize("text", ["", "import sys\nprint(sys.argv)", "def argparse(): pass"])
def test_scripts_without_options(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == Script("", (Command(),))


@pytest.mark.parametrize("text", ["def f(:\n", "(" * 300, "x = 1\0", "-" * 200_000 + "1"])
def test_what_is_not_python(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestError, match="not Python"):
        module(tmp_path, text)


def test_needs(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("import yaml, script\nfrom . import other\n")
    (tmp_path / "package").mkdir()
    text = "import os, numpy as np, helpers, package.one\nfrom sklearn.svm import SVC\n"
    text += "from google.cloud import storage\nimport projrun.log\n"
    found = imported_needs([module(tmp_path, text)], tmp_path)
    assert found.dependencies == ("google-cloud-storage", "numpy", "pyyaml", "scikit-learn")
    block = '# /// script\n# requires-python = ">=3.9"\n# dependencies = [\n#   "rich>=13",\n# ]\n# ///\nimport rich\n'
    inline = inline_needs(module(tmp_path, block), "script.py")
    assert inline is not None
    assert inline.dependencies == ("rich>=13",)
    assert inline_needs(module(tmp_path, "import rich"), "script.py") is None
    with pytest.raises(RequestError, match=r"script.py:1:1: the script block is not TOML"):
        inline_needs(module(tmp_path, "# /// script\n# x = [\n# ///\n"), "script.py")


def test_the_python_of_a_script() -> None:
    assert python_for(">=3.99") == "3.99"
    assert python_for("") == python_for(">=3.6,<4") != ""
    assert python_for("==2.7.*") == "2.7"
