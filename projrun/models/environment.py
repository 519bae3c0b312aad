"""Which environment a model's files ask for."""

from __future__ import annotations

from pathlib import Path

from projrun.errors import EnvironmentBuildError
from projrun.models.mlmodel import MLMODEL, MLmodel
from projrun.plugins import built_ins
from projrun.project.environment_files import default_environment
from projrun.project.loader import real_directory
from projrun.project.model import Project

_BY_VALUE = "mlflow.pyfunc.model"
"""The module that loads a Python object of the user's, whose code is pickled with it."""


def model_project(folder: Path, model: MLmodel) -> Project:
    """The model's folder as a project. Where its environment names no Python, it is the one that saved the model."""
    directory = real_directory(folder)
    environment = default_environment(directory)
    return Project(
        directory, None, None, environment._replace(python=model.python, python_origin=MLMODEL), {}
    )


def check_python(model: MLmodel, version: str) -> str:
    """A warning where the Python of the environment is not the one that saved the model.

    Raises EnvironmentBuildError where that cannot work: pickled code is of one minor version.
    """
    recorded = model.python
    if same_minor(recorded, version):
        return ""
    flavor = model.pyfunc or {}
    differs = f"was saved by Python {recorded}, and the environment has {version}"
    if flavor.get("loader_module") == _BY_VALUE and flavor.get("python_model"):
        raise EnvironmentBuildError(
            f"the model's code is pickled: it {differs}",
            hint=f"load it in its own environment, without --env-manager={built_ins().CALLER_ENVIRONMENT} and --env",
        )
    return f"the model {differs}: it may not load, or predict otherwise"


def same_minor(recorded: str, version: str) -> bool:
    """Whether two versions of Python read each other's code; true where one is not known."""
    return not recorded or not version or recorded.split(".")[:2] == version.split(".")[:2]
