"""What `mlflow run --env-manager virtualenv` makes of a conda.yaml, and what projrun does: real mlflow reads each file.

Each difference that is meant is listed here, with the reason; anything else that differs fails the test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from tests.backends.environments.python.packages import write_files
from tests.support.commands import run_command

pytestmark = pytest.mark.integration

ASK = """\
import json, sys
from mlflow.utils.environment import _PythonEnv
answers = []
for file in sys.argv[1:]:
    try:
        answers.append(_PythonEnv.get_dependencies_from_conda_yaml(file))
    except Exception as error:
        answers.append({"error": str(error)})
print("ANSWERS" + json.dumps(answers))
"""


class Case(NamedTuple):
    """A file, and what projrun makes of it where MLflow makes something else of it."""

    dependencies: str
    reason: str = ""
    """Why the two differ; empty where they must not."""
    python: str | None = None
    build: tuple[str, ...] | None = None
    requirements: tuple[str, ...] | None = None


PATCH = "no build of conda's own can be asked for, but the version can"
CASES = [
    Case("[python=3.11]"),
    Case("[python==3.11.7, pip, {pip: [numpy, 'scipy<2']}]"),
    Case("[python==3.11, pip<=23, setuptools==68.0, wheel, {pip: [numpy]}]"),
    Case(
        "['python<=3.11']",
        "MLflow builds with exactly 3.11, projrun with the newest that fits",
        python="<=3.11",
    ),
    Case("[python=3.11, pip=23.1]", "conda's `=` is fuzzy, MLflow's is exact", build=("pip==23.1.*",)),
    Case("[python]", "MLflow refuses an unpinned Python", python=""),
    Case("['python<3.12']", "MLflow refuses the operator", python="<3.12"),
    Case("['python>=3.9']", "MLflow builds with exactly 3.9, projrun with any that fits", python=">=3.9"),
    Case("[python=3.11.*]", "MLflow does not read it, and takes its own Python", python="3.11.*"),
    Case("[python=3.10.13=h955ad1f_0]", PATCH, python="3.10.13"),
    Case("['conda-forge::python=3.11']", "channels mean nothing on PyPI", python="3.11"),
    Case("[python=3.11, setuptools=68.0.0=py311_0]", PATCH, build=("setuptools==68.0.0",)),
    Case(
        "[python=3.11, pytorch=2.1, scikit-learn, openssl, {pip: [numpy]}]",
        "MLflow leaves conda's packages out, and the command fails",
        requirements=("torch==2.1.*", "scikit-learn", "numpy"),
    ),
    Case(
        "[python=3.11, {pip: [numpy]}, {pip: [scipy]}]",
        "MLflow drops all but the last list",
        requirements=("numpy", "scipy"),
    ),
]


def ours(spec: EnvironmentSpec) -> dict[str, Any]:
    return {
        "python": spec.python.text.lstrip("=") if spec.python else "",
        "build": spec.build_requirements.lines,
        "requirements": spec.requirements.lines,
    }


def theirs(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "python": answer.get("python"),
        "build": tuple(answer.get("build_dependencies") or ()),
        "requirements": tuple(answer.get("dependencies") or ()),
    }


def test_the_same_files_read_by_mlflow(tmp_path: Path, mlflow3_python: Path) -> None:
    files = []
    for number, case in enumerate(CASES):
        write_files(tmp_path / str(number), {"conda.yaml": f"dependencies: {case.dependencies}\n"})
        files.append(tmp_path / str(number) / "conda.yaml")
    done = run_command([mlflow3_python, "-c", ASK, *files]).check()
    answers = json.loads(done.stdout.partition("ANSWERS")[2])
    for case, file, answer in zip(CASES, files, answers, strict=True):
        mine = ours(read_spec(EnvironmentReference("conda_env", file), file.parent, {}))
        expected = {
            key: value if (value := getattr(case, key)) is not None else theirs(answer)[key] for key in mine
        }
        assert mine == expected, case
        assert (mine == theirs(answer)) is not bool(case.reason), (case, answer)
