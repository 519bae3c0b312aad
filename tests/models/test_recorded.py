"""What a model's files say of its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.models.mlmodel import MLmodel
from projrun.models.recorded import RecordedEnvironment, recorded_environment

CONDA = """\
channels: [conda-forge]
dependencies:
- conda-forge::python=3.8.12
- numpy=1.24.3=py38_0
- pandas=2.1
- joblib=1.*
- tqdm==4.66
- scipy >=1.9
- pip:
  - mlflow<3
name: mlflow-env
"""
PYTHON_ENV = "python: 3.9.1\nbuild_dependencies: [pip==23]\ndependencies: [-r requirements.txt]\n"


@pytest.mark.parametrize(
    ("files", "flavor", "expected"),
    [
        ({}, {}, ("", (), "")),
        (
            {"conda.yaml": CONDA},
            {},
            (
                "3.8.12",
                ("numpy==1.24.3", "pandas==2.1.*", "joblib==1.*", "tqdm==4.66", "scipy >=1.9", "mlflow<3"),
                "conda.yaml",
            ),
        ),
        ({"python_env.yaml": PYTHON_ENV, "conda.yaml": CONDA}, {}, None),
        (
            {
                "python_env.yaml": PYTHON_ENV,
                "conda.yaml": CONDA,
                "requirements.txt": "# x\na==1  # y\n\n-c b\n",
            },
            {"python_version": "3.10.2"},
            ("3.10.2", ("a==1",), "requirements.txt"),
        ),
        ({"python_env.yaml": "dependencies: [b==2]\n"}, {}, ("", ("b==2",), "python_env.yaml")),
    ],
)
def test_the_first_file_with_requirements_counts(
    tmp_path: Path,
    files: dict[str, str],
    flavor: dict[str, str],
    expected: tuple[str, tuple[str, ...], str] | None,
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = recorded_environment(MLmodel({"python_function": flavor}), tmp_path)
    if expected is None:
        assert (found.python, found.source) == ("3.9.1", "conda.yaml")
    else:
        assert found == RecordedEnvironment(*expected)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text("dependencies: [\n")
    with pytest.raises(RequestError, match=r"conda\.yaml"):
        recorded_environment(MLmodel({}), tmp_path)
