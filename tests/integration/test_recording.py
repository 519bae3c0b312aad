"""The elastic-net project in a built environment, recorded on real mlflow servers of both lines."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.integration.records import Recorded, read_run, run_ids
from tests.support.commands import run_command, run_projrun
from tests.support.guard import PACKAGE_CACHE, REPOSITORY

pytestmark = pytest.mark.integration

ELASTICNET = REPOSITORY / "example_projects" / "sklearn_elasticnet_wine"

_PREDICT = """
import sys
import mlflow.pyfunc
from sklearn.datasets import load_wine

wines = load_wine(as_frame=True).data.drop(columns="alcohol")
print(len(mlflow.pyfunc.load_model(sys.argv[1]).predict(wines)))
"""


@pytest.fixture
def built_environments() -> dict[str, str]:
    """Environments are built once for all tests: they are the slow part, and shared as a person's would be."""
    return {"PROJRUN_CACHE_DIR": str(PACKAGE_CACHE / "projrun")}


@pytest.fixture
def elasticnet(tmp_path: Path) -> Path:
    """The example outside of any git repository."""
    return Path(shutil.copytree(ELASTICNET, tmp_path / "elasticnet"))


@pytest.mark.parametrize(
    ("line", "folder"), [("3", "."), pytest.param("2", "mlflow2", marks=pytest.mark.large)]
)
def test_elasticnet_is_recorded(
    line: str,
    folder: str,
    elasticnet: Path,
    request: pytest.FixtureRequest,
    built_environments: dict[str, str],
) -> None:
    project = elasticnet / folder
    python: Path = request.getfixturevalue(f"mlflow{line}_python")
    uri: str = request.getfixturevalue(f"mlflow{line}_server")

    run_id = _run(project, uri, built_environments)
    recorded = read_run(python, uri, run_id)

    assert recorded.status == "FINISHED"
    assert recorded.ended
    assert recorded.experiment == "elasticnet"
    assert recorded.params == {"alpha": "0.42", "l1_ratio": "0.1"}
    assert set(recorded.metrics) == {"rmse", "mae", "r2"}
    assert 0 < recorded.metrics["rmse"] < 1
    _check_tags(recorded, project)
    assert f"rmse: {recorded.metrics['rmse']:.4f}" in recorded.log
    assert any(artifact.startswith("environment/") for artifact in recorded.artifacts)
    _check_model(line, recorded, python, uri, run_id)


def _run(project: Path, uri: str, environ: dict[str, str]) -> str:
    done = run_projrun(
        *("run", project, "-P", "alpha=0.42", "--json", "--env-manager", "uv"),
        *("--tracking-uri", uri, "--experiment-name", "elasticnet", "--run-name", "first"),
        environ=environ,
        timeout=900,
    ).check()
    document = json.loads(done.stdout)
    assert document["status"] == "FINISHED"
    return str(document["run_id"])


def _check_tags(recorded: Recorded, project: Path) -> None:
    expected = {
        "mlflow.runName": "first",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": str(project),
        "mlflow.project.entryPoint": "main",
        "mlflow.project.backend": "local",
        "mlflow.user": recorded.user,
    }
    assert expected.items() <= recorded.tags.items()
    assert recorded.tags["mlflow.project.env"] in {"uv", "virtualenv"}


def _check_model(line: str, recorded: Recorded, python: Path, uri: str, run_id: str) -> None:
    assert [model.partition("/")[0] for model in recorded.models] == ["ElasticnetWineModel"]
    if line == "3":
        assert recorded.outputs == 1
    else:
        assert {"model/MLmodel", "model/input_example.json"} <= set(recorded.artifacts)
    environ = {"MLFLOW_TRACKING_URI": uri}
    for model in (f"runs:/{run_id}/model", f"models:/{recorded.models[0]}"):
        done = run_command([python, "-c", _PREDICT, model], environ=environ).check()
        assert done.stdout.splitlines()[-1] == "178"


def test_a_failed_project_is_recorded_with_its_exit_code(
    tmp_path: Path, mlflow3_python: Path, mlflow3_server: str
) -> None:
    (tmp_path / "MLproject").write_text(
        "entry_points: {main: {command: 'echo before; exit 3'}}\n", encoding="utf-8"
    )
    done = run_projrun("run", tmp_path, "--env-manager=local", "--json", "--tracking-uri", mlflow3_server)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["exit_code"] == 3
    recorded = read_run(mlflow3_python, mlflow3_server, document["run_id"])
    assert recorded.status == "FAILED"
    assert recorded.ended
    assert recorded.log == "before\n"
    assert "3" in [value for name, value in recorded.tags.items() if name.startswith("projrun.")]


def test_an_environment_that_cannot_be_built_fails_the_run(
    tmp_path: Path, mlflow3_python: Path, mlflow3_server: str
) -> None:
    (tmp_path / "MLproject").write_text(
        "python_env: python_env.yaml\nentry_points: {main: {command: 'true'}}\n", encoding="utf-8"
    )
    (tmp_path / "python_env.yaml").write_text("dependencies: [no-such-package]\n", encoding="utf-8")
    done = run_projrun(
        *("run", tmp_path, "--env-manager=uv", "--tracking-uri", mlflow3_server),
        *("--experiment-name", "broken-environment"),
        environ={"UV_OFFLINE": "1", "UV_NO_INDEX": "1"},
    )
    assert done.returncode == 4, done.stderr
    assert "no-such-package" in done.stderr
    (run_id,) = run_ids(mlflow3_python, mlflow3_server, "broken-environment")
    assert read_run(mlflow3_python, mlflow3_server, run_id).status == "FAILED"


def test_a_mistake_in_the_request_creates_no_run(
    tmp_path: Path, mlflow3_python: Path, mlflow3_server: str
) -> None:
    arguments = ["run", str(ELASTICNET), "-P", "alpha=high", "--env-manager=local"]
    done = run_projrun(
        *arguments, "--tracking-uri", mlflow3_server, "--experiment-name", "mistakes", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "alpha" in done.stderr
    assert run_ids(mlflow3_python, mlflow3_server, "mistakes") == []


def test_the_embedded_store_serves_the_real_client(
    mlflow3_python: Path, tmp_path: Path, built_environments: dict[str, str]
) -> None:
    environ = {
        "PROJRUN_HOME": str(tmp_path / "projrun"),
        "PATH": f"{mlflow3_python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = run_projrun(
        "run", ELASTICNET, "--env-manager=local", "--json", environ=environ, timeout=300
    ).check()
    run_id = json.loads(done.stdout)["run_id"]
    shown = run_projrun("runs", "show", run_id, "--json", environ=environ).check()
    document = json.loads(shown.stdout)
    assert run_id in shown.stdout
    assert document["status"] == "FINISHED"
    for metric in ("rmse", "mae", "r2"):
        assert metric in shown.stdout
