"""Kinds of environment that other packages' managers build."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.project.check import check_project
from projrun.project.loader import load_project

COMMAND = "entry_points: {main: {command: 'true'}}\n"


def write(project: Path, lines: str) -> Path:
    (project / "MLproject").write_text(lines + COMMAND)
    (project / "pixi.toml").touch()
    return project


def test_a_key_that_names_a_file_is_a_kind(tmp_path: Path) -> None:
    environment = load_project(write(tmp_path, "pixi_env: pixi.toml\n")).environment
    assert (environment.kind, environment.file) == ("pixi_env", tmp_path / "pixi.toml")
    assert str(environment.location) == "MLproject:1:1"
    assert [finding.code for finding in check_project(tmp_path)] == []


@pytest.mark.parametrize(
    "lines",
    [
        "pixi_env: gone.toml\n",
        "pixi_env: ../pixi.toml\n",
        "pixi_env: [pixi.toml]\n",
        "pixi_env:\n",
        "pixi: pixi.toml\n",
        "x-pixi_env: pixi.toml\n",
        "pyton_env: pixi.toml\npython_env:\n",
    ],
)
def test_other_unknown_keys_are_ignored(tmp_path: Path, lines: str) -> None:
    assert load_project(write(tmp_path, lines)).environment.kind == "none"


def test_a_known_key_takes_precedence(tmp_path: Path) -> None:
    (tmp_path / "python_env.yaml").touch()
    lines = "pixi_env: pixi.toml\npython_env: python_env.yaml\n"
    assert load_project(write(tmp_path, lines)).environment.kind == "python_env"
