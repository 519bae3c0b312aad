"""`projrun init`: what it writes passes `check --strict` and runs; and what it never does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import user_scripts
from tests.support.commands import Completed, run_projrun
from tests.support.terminals import on_a_terminal

SCRIPTS = {
    "arg.py": user_scripts.ARGPARSE,
    "cl.py": user_scripts.CLICK,
    "ty.py": user_scripts.TYPER,
    "fi.py": user_scripts.FIRE,
}


BLOCK = "# /// script\n# dependencies = ['rich>=13']\n# ///\n"


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def init(*words: str | Path, cwd: Path) -> Completed:
    return run_projrun("init", *words, cwd=cwd)


@pytest.mark.processes
def test_a_script_becomes_a_project_that_passes_and_runs(tmp_path: Path) -> None:
    folder = write(tmp_path / "my project", **{"train it.py": user_scripts.ARGPARSE})
    done = init("train it.py", cwd=folder).check()
    assert done.stdout == (
        "wrote python_env.yaml\nwrote MLproject\nread train it.py: its argparse options\n"
        "environment: the imports\nrun it: projrun run . -P data=DATA -P seed=SEED\n"
    )
    assert run_projrun("check", "--strict", folder).stdout == "no problems found\n"
    words = ("-P", "data=MLproject", "-P", "seed=3", "-P", "verbose=true", "-P", "ckpt=a b")
    ran = run_projrun("run", folder, "--env-manager", "local", *words, cwd=folder).check()
    assert json.loads(ran.stdout) == {
        "ckpt": "a b", "cuda": True, "data": str(folder / "MLproject"), "epochs": 10, "layers": [64, 32],
        "learning_rate": 0.001, "momentum": 0.9, "optimizer": "adam", "seed": 3, "shuffle": True,
        "tag": 'it\'s {a} "b" $x', "verbose": True,
    }  # fmt: skip


@pytest.mark.integration
def test_scripts_of_every_kind_run_in_the_environment_that_it_proposes(tmp_path: Path) -> None:
    folder = write(tmp_path / "project", **SCRIPTS)
    init("arg.py", "--script", "cl.py", "--script", "ty.py", "--script", "fi.py", cwd=folder).check()
    assert run_projrun("check", "--strict", folder).stdout == "no problems found\n"
    assert (
        (folder / "python_env.yaml").read_text().endswith("dependencies:\n  - click\n  - fire\n  - typer\n")
    )

    def run(entry_point: str, *values: str) -> str:
        given = [word for value in values for word in ("-P", value)]
        return run_projrun("run", folder, "-e", entry_point, *given, cwd=folder, timeout=300).check().stdout

    assert json.loads(run("main", "data=MLproject", "seed=3"))["seed"] == 3
    debug, fitted = run("fit", "data=MLproject", "debug=true", "flag=true").splitlines()
    assert debug == "debug=True"
    assert json.loads(fitted)["size"] == [1, 2]
    assert run("score-all") == "debug=False\nscored\n"
    assert json.loads(run("ty", "data=x", "must=4", "kind=slow"))["kind"] == "slow"
    assert json.loads(run("fi", "data=5", "fast=True")) == [5, 0.1, 5, "x", True, None]


@pytest.mark.processes
def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", **{"train.py": "", "MLproject": "name: mine\n"})
    done = init(cwd=folder)
    assert (done.returncode, (folder / "MLproject").read_text()) == (2, "name: mine\n")
    assert "MLproject exists" in done.stderr
    folder = write(tmp_path / "b", **{"train.py": "import numpy\n", "python_env.yaml": "python: '3.11'\n"})
    init(cwd=folder).check()
    assert (folder / "python_env.yaml").read_text() == "python: '3.11'\n"
    assert "python_env: python_env.yaml\n" in (folder / "MLproject").read_text()
    folder = write(tmp_path / "c", **{"train.py": ""})
    (folder / "python_env.yaml").symlink_to("nothing")
    done = init(cwd=folder)
    assert (done.returncode, names(folder)) == (2, ["python_env.yaml", "train.py"])
    assert "cannot write python_env.yaml: File exists; nothing was written" in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    ("files", "line", "written"),
    [
        ({"requirements.txt": "rich\n"}, "python_env: python_env.yaml", '  - "-r requirements.txt"\n'),
        ({"conda.yaml": "dependencies: []\n"}, "conda_env: conda.yaml", None),
        ({"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n"}, "uv_env: pyproject.toml", None),
        ({"train.py": BLOCK}, "python_env: python_env.yaml", '  - "rich>=13"\n'),
        ({"train.py": "import os\n"}, "python_env: python_env.yaml", "dependencies: []\n"),
    ],
)  # fmt: skip
def test_where_the_environment_comes_from(
    tmp_path: Path, files: dict[str, str], line: str, written: str | None
) -> None:
    folder = write(tmp_path / "p", **{"train.py": "import numpy\n", **files})
    init(cwd=folder).check()
    assert line in (folder / "MLproject").read_text().splitlines()
    made = folder / "python_env.yaml"
    assert made.read_text().endswith(written) if written else not made.exists()
    assert run_projrun("check", "--strict", folder).stdout == "no problems found\n"


@pytest.mark.processes
def test_off_a_terminal_flags_say_what_is_asked_on_one(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", **{"a.py": "", "b.py": "def f(:\n"})
    done = init(cwd=folder)
    assert done.returncode == 2
    assert "has 2 scripts: a.py, b.py; choose with --script" in done.stderr
    document = json.loads(
        init("--script", "a.py", "--name", "x y", "--dry-run", "--json", cwd=folder).check().stdout
    )
    assert (document["written"], document["commands"]) == ([], ["projrun run ."])
    assert document["files"]["MLproject"].startswith('name: "x y"\n')
    assert names(folder) == ["a.py", "b.py"]
    assert "b.py:1:7: not Python" in init("b.py", cwd=folder).stderr
    assert "is no Python script" in init("--script", "../x.py", cwd=folder).stderr
    assert init("missing", cwd=folder).returncode == 2
    assert "no Python script" in init(write(tmp_path / "empty"), cwd=folder).stderr


@pytest.mark.processes
def test_a_folder_without_a_project_says_what_would_run(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", **{"train.py": "", "plot.sh": ""})
    write(folder / "inner", MLproject="")
    done = run_projrun("run", ".", cwd=folder)
    assert done.returncode == 2
    for words in (
        "did you mean `projrun run . -e train.py`?", "other scripts: plot.sh",
        "`projrun init .` writes an MLproject file",
        "`projrun run '.#inner'`",
    ):  # fmt: skip
        assert words in done.stderr
    assert "is it the right folder?" in run_projrun("run", write(tmp_path / "empty")).stderr


@pytest.mark.processes
def test_a_terminal_is_asked(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", **{"a.py": "", "train.py": ""})
    said = on_a_terminal("init", folder, home=tmp_path / "home", typed="a.py\nmy name\nn\n")
    assert "Script (a.py, train.py) [train.py]: " in said
    assert "Project name [p]: " in said
    assert "python a.py" in said
    assert names(folder) == ["a.py", "train.py"]
    on_a_terminal("init", folder, home=tmp_path / "home", typed="\n\n\n")
    assert "python train.py" in (folder / "MLproject").read_text()
