"""Environments from a `pylock.toml` that uv wrote, built by uv and by pip."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from projrun_backends.environments.python.uv import find_uv
from tests.backends.environments.python.packages import write_files
from tests.support.commands import missing, run_projrun

pytestmark = pytest.mark.integration

PROJECT = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.9"
dependencies = ["six==1.16.0", "packaging==23.1; python_version > '3'", "colorama==0.4.5; sys_platform == 'win32'"]
"""
SCRIPT = "import six, packaging; print(six.__version__, packaging.__version__)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    uv = find_uv(os.environ)
    if uv is None:
        missing("uv is not installed")
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    folder = write_files(tmp_path / "project", {"pyproject.toml": PROJECT, "train.py": SCRIPT})
    words = ["export", "--format", "pylock.toml", "--no-emit-project", "-o", "pylock.toml"]
    subprocess.run([uv, *words], cwd=folder, check=True, capture_output=True)
    (folder / "uv.lock").unlink()
    return folder


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_what_is_locked_is_installed(project: Path, manager: str) -> None:
    words = ("run", project, "-e", "train.py", f"--env-manager={manager}")
    done = run_projrun(*words).check()
    assert done.stdout == "1.16.0 23.1\n"
    assert "locked by pylock.toml" in done.stderr
    assert "building" not in run_projrun(*words).check().stderr


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_a_file_with_another_hash_is_refused(project: Path, manager: str) -> None:
    lock = project / "pylock.toml"
    before = lock.read_text()
    wheel = before.index("six-1.16.0-py2.py3-none-any.whl")
    place = before.index('sha256 = "', wheel) + len('sha256 = "')
    sdist = before.rindex('sha256 = "', 0, wheel) + len('sha256 = "')
    changed = list(before)
    for start in (place, sdist):
        changed[start : start + 4] = "0000"
    lock.write_text("".join(changed))
    done = run_projrun("run", project, "-e", "train.py", f"--env-manager={manager}")
    assert done.returncode == 4
    assert "hash" in done.stderr.lower()
