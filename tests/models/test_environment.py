"""The environment of a model, and the Python that it must have."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.environments.choice import the_environment
from projrun.errors import EnvironmentBuildError
from projrun.models.environment import check_python, model_project, same_minor
from projrun.models.mlmodel import MLmodel

PICKLED = {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("3.8.18", "3.8.2", True), ("3.8.18", "3.10.1", False), ("", "3.9", True), ("3.1", "3.10", False)],
)
def test_a_patch_is_no_other_python(one: str, other: str, same: bool) -> None:
    assert same_minor(one, other) is same


def model(**flavor: str) -> MLmodel:
    return MLmodel({"python_function": {"python_version": "3.8.18", **flavor}})


def test_code_that_is_pickled_needs_its_own_python() -> None:
    with pytest.raises(EnvironmentBuildError, match=r"saved by Python 3\.8\.18, and the .* has 3\.11\.7"):
        check_python(model(**PICKLED), "3.11.7")
    assert check_python(model(**PICKLED), "3.8.2") == ""


def test_others_may_load_under_another_python() -> None:
    assert "was saved by Python 3.8.18" in check_python(model(loader_module="mlflow.sklearn"), "3.11.7")
    by_code = {"loader_module": "mlflow.pyfunc.model", "model_code_path": "code.py"}
    assert "may not load" in check_python(model(**by_code), "3.11.7")
    assert check_python(MLmodel({}), "3.11.7") == ""


def test_every_file_that_names_no_python_gets_that_of_the_model(tmp_path: Path) -> None:
    assert model_project(tmp_path, model()).environment.kind == "none"
    for name in ("python_env.yaml", "conda.yaml", "MLproject"):
        (tmp_path / name).write_text("")
    project = model_project(tmp_path, model())
    for manager, kind in ((None, "python_env"), ("conda", "conda_env"), ("local", "python_env")):
        reference, _ = the_environment(project, manager)
        assert (reference.kind, reference.python, reference.python_origin) == (kind, "3.8.18", "MLmodel")
