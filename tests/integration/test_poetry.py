"""Poetry projects, built by uv and by pip; their constraints compared with Poetry's own reading of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.specs import read_spec
from projrun_backends.environments.python.uv import find_uv
from tests.backends.environments.python.packages import write_files
from tests.support.commands import missing, run_projrun
from tests.support.virtualenvs import built_environment

pytestmark = pytest.mark.integration

HEAD = '[tool.poetry]\nname = "demo"\nversion = "1"\ndescription = ""\nauthors = []\n'
BUILD = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
CONSTRAINTS = [
    "^1.2.3",
    "^1.2",
    "^1",
    "^0.2.3",
    "^0.2",
    "^0.0.3",
    "^0.0",
    "^0",
    "^1.0b1",
    "~1.2.3",
    "~1.2",
    "~1",
    "~0",
    "~=1.2",
    "1.2.3",
    "=1.2",
    "==1.2.3",
    "1.2.*",
    "==1.*",
    "!=1.2.*",
    ">=1.2,<2",
    ">=1.2,!=1.3,<2",
    "^1.2,!=1.3",
    "<2",
    ">1",
    "*",
    "1.0+cu118",
]
VERSIONS = [f"{a}.{b}.{c}" for a in range(4) for b in range(4) for c in range(5)] + [
    "1.0b1",
    "2.0b1",
    "1.0+cu118",
]
EXACT = ["3.8", "==3.9", "!=3.8", "!=3.9.*", "3.8.18", "3.8 || 3.10"]
PYTHONS = ["3.8.0", "3.8.18", "3.9.0", "3.9.7", "3.10.2", "3.12.1"]
ASK = """
import json, sys
from pathlib import Path
from poetry.core.factory import Factory
package = Factory().create_poetry(Path(sys.argv[1])).package
print(json.dumps([one.to_pep_508() for one in package.requires]))
"""


def test_dependencies_mean_what_they_mean_to_poetry(tmp_path: Path) -> None:
    listed = [f'p{number} = "{constraint}"' for number, constraint in enumerate(CONSTRAINTS)]
    for number, python in enumerate(
        ["^3.9", "~3.8", "<3.9", ">=3.9,<3.11", "3.8.*", "~3.8 || ^3.12", *EXACT]
    ):
        listed.append(f'm{number} = {{version = "^1", python = "{python}", platform = "linux"}}')
    text = HEAD + '[tool.poetry.dependencies]\npython = ">=3.8"\n' + "\n".join(listed) + "\n" + BUILD
    write_files(tmp_path, {"pyproject.toml": text})
    oracle = built_environment("poetry-core", ["poetry-core>=2,<3"])
    done = subprocess.run([oracle, "-c", ASK, tmp_path], capture_output=True, text=True, check=True)
    theirs = {found.name: found for found in map(Requirement, json.loads(done.stdout))}
    spec = read_spec(EnvironmentReference("poetry", tmp_path / "pyproject.toml"), tmp_path, {})
    ours = {found.name: found for found in map(Requirement, spec.requirements.lines)}
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if taken(ours[name]) != taken(theirs[name])] == []


def taken(requirement: Requirement) -> tuple[list[str], list[str]]:
    """The versions that it takes, and the Pythons that it is for."""
    versions = [version for version in VERSIONS if requirement.specifier.contains(version, prereleases=True)]
    pythons = [
        python
        for python in PYTHONS
        if requirement.marker is None
        or requirement.marker.evaluate(
            {
                "python_version": ".".join(python.split(".")[:2]),
                "python_full_version": python,
                "sys_platform": "linux",
            }
        )
    ]
    return versions, pythons


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
@pytest.mark.parametrize("packaged", [False, True])
def test_a_poetry_project_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: str, packaged: bool
) -> None:
    if find_uv(os.environ) is None:
        missing("uv is not installed")
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    lock = (
        '# by Poetry\n\n[[package]]\nname = "six"\nversion = "1.16.0"\n\n[metadata]\nlock-version = "2.1"\n'
    )
    text = HEAD + '[tool.poetry.dependencies]\npython = "^3.9"\nsix = "^1.15"\n'
    imported = "demo.WORD" if packaged else "'none'"
    files = {
        "pyproject.toml": text + (BUILD if packaged else ""),
        "poetry.lock": lock,
        "run/train.py": f"import six\n{'import demo' if packaged else ''}\nprint(six.__version__, {imported})\n",
        "demo/__init__.py": "WORD = 'packaged'\n",
        "MLproject": "entry_points: {main: {command: python run/train.py}}\n",
    }
    project = write_files(tmp_path / "project", files)
    done = run_projrun("run", project, f"--env-manager={manager}").check()
    assert done.stdout.split() == ["1.16.0", "packaged" if packaged else "none"]
    (project / "poetry.lock").unlink()
    newer = run_projrun("run", project, f"--env-manager={manager}").check().stdout.split()[0]
    assert newer != "1.16.0"
