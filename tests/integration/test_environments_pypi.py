"""Environments built from PyPI, or from the index that the machine names instead of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from projrun.environments.registry import get_manager
from projrun.errors import EnvironmentBuildError
from tests.backends.environments.python.packages import make_request, write_files
from tests.support.commands import missing

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", ["virtualenv", "uv"])
def test_a_real_package_with_compiled_parts(tmp_path: Path, name: str) -> None:
    manager = get_manager(name)
    if not manager.available(os.environ):
        missing(f"{name} is not installed")
    project = write_files(
        tmp_path / "project",
        {
            "conda.yaml": "name: tutorial\nchannels: [conda-forge]\ndependencies:\n  - python>=3.9\n  - pip\n"
            "  - pip:\n    - -r requirements.txt\n",
            "requirements.txt": "-c limits.txt\nnumpy\nsix>=1.16  # pure\n",
            "limits.txt": "six<1.17\n",
        },
    )
    request = make_request(project, "conda_env", "conda.yaml", environ=os.environ)
    prepared = manager.prepare(request, manager.resolve(request), rebuild=False, progress=lambda line: None)
    script = "import numpy, six; print(numpy.arange(3).sum(), six.__version__)"
    python = prepared.path_prefix[0] / "python"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "1.16.0"]
    assert prepared.lock is not None
    assert "six==1.16.0" in prepared.lock.splitlines()
    assert manager.resolve(request).exists


@pytest.mark.parametrize("name", ["virtualenv", "uv"])
def test_a_version_that_nobody_published(tmp_path: Path, name: str) -> None:
    manager = get_manager(name)
    if not manager.available(os.environ):
        missing(f"{name} is not installed")
    project = write_files(tmp_path / "project", {"requirements.txt": "six==999\n"})
    request = make_request(project, "requirements", "requirements.txt", environ=os.environ)
    with pytest.raises(EnvironmentBuildError) as raised:
        manager.prepare(request, manager.resolve(request), rebuild=False, progress=lambda line: None)
    assert "six==999" in raised.value.detail


TRANSLATED = """\
name: translated
channels: [conda-forge]
dependencies:
  - python>=3.9
  - six=1.16.0=pyh6c4a22f_0
  - conda-forge::msgpack-python>=1.0,<2
  - ruamel_yaml
  - xz=5.2
  - pip:
      - -r requirements.txt
"""


@pytest.mark.parametrize("name", ["virtualenv", "uv"])
def test_a_conda_file_with_packages_that_pypi_calls_otherwise(tmp_path: Path, name: str) -> None:
    manager = get_manager(name)
    if not manager.available(os.environ):
        missing(f"{name} is not installed")
    files = {"conda.yaml": TRANSLATED, "requirements.txt": "sortedcontainers\n"}
    project = write_files(tmp_path / "project", files)
    request = make_request(project, "conda_env", "conda.yaml", environ=os.environ)
    prepared = manager.prepare(request, manager.resolve(request), rebuild=False, progress=lambda line: None)
    script = "import msgpack, ruamel.yaml, six, sortedcontainers; print(six.__version__)"
    python = prepared.path_prefix[0] / "python"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "1.16.0\n"
    assert prepared.lock is not None
    names = {line.partition("==")[0].replace(".", "-") for line in prepared.lock.splitlines()}
    assert {"six", "msgpack", "ruamel-yaml", "sortedcontainers"} <= names
    assert "xz" not in names
