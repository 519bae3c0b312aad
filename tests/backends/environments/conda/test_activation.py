"""What activation of a conda environment gives a command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from projrun_backends.environments.conda.activation import (
    activation_variables,
    starter,
)
from tests.backends.environments.python.packages import write_files


def test_variables_of_packages_of_the_state_and_of_the_file(tmp_path: Path) -> None:
    state = {"version": 1, "env_vars": {"B": "state", "C": "state", "GONE": "***unset***"}}
    files = {
        "etc/conda/env_vars.d/1.json": '{"A": "package", "B": "package", "GONE": "package"}',
        "etc/conda/env_vars.d/2.json": '{"A": "later package"}',
        "conda-meta/state": json.dumps(state),
    }
    variables, unset = activation_variables(
        write_files(tmp_path, files), [("C", "file"), ("CONDA_PREFIX", "x")]
    )
    own = {"CONDA_PREFIX": str(tmp_path), "CONDA_DEFAULT_ENV": str(tmp_path), "CONDA_SHLVL": "1"}
    assert variables == {"A": "later package", "B": "state", "C": "file", "PYTHONNOUSERSITE": "1", **own}
    assert {"GONE", "VIRTUAL_ENV", "PYTHONHOME"} <= unset


def test_files_that_are_wrong_are_passed_over(tmp_path: Path) -> None:
    files = {"etc/conda/env_vars.d/1.json": "{", "etc/conda/env_vars.d/2.json": "[]", "conda-meta/state": "x"}
    variables, _ = activation_variables(write_files(tmp_path, files))
    assert set(variables) == {"PYTHONNOUSERSITE", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL"}


def test_names_and_values_that_no_environment_holds_are_passed_over(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"etc/conda/env_vars.d/1.json": '{"A=B": "x", "": "y", "NUL": "a\\u0000b", "OK": 1}'}
    )
    variables, _ = activation_variables(tmp_path)
    assert variables["OK"] == "1"
    assert not {"A=B", "", "NUL"} & variables.keys()


def test_without_scripts_nothing_stands_before_the_command(tmp_path: Path) -> None:
    assert starter(tmp_path) == ()


def test_scripts_run_in_order_and_the_command_gets_its_words(tmp_path: Path) -> None:
    scripts = {
        "b.sh": 'export SEEN="$SEEN b"\nset -- lost\nshift\n',
        "a.sh": 'export SEEN="$1$# a"\nfalse\n',
        "c.fish": "exit 1\n",
    }
    write_files(tmp_path / "env/etc/conda/activate.d", scripts)
    words = [*starter(tmp_path / "env"), "sh", "-c", 'echo "$SEEN|$0|$1|$#"; exit 7', "a b", "$HOME 'x'"]
    environ = {"CONDA_PREFIX": str(tmp_path / "env"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("0 a b|a b|$HOME 'x'|1\n", 7)
