"""Real stores of MLflow, through projrun and a real `mlflow server` and back: what MLflow's client finds is equal."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.testing.run_store_base import unique
from tests.integration.transfers.grow import grow
from tests.support.program import projrun_server

HERE = Path(__file__).parent
ENVIRON = {"MLFLOW_ALLOW_FILE_STORE": "true", "GIT_PYTHON_REFRESH": "quiet"}


def script(python: Path, name: str, *words: object, environ: Mapping[str, str] = ENVIRON) -> str:
    argv = [str(python), str(HERE / name), *map(str, words)]
    done = subprocess.run(argv, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def dump(python: Path, uri: object, prefix: str) -> Any:
    return json.loads(script(python, "dump_script.py", uri, prefix))


def dump_of_ours(python: Path, folder: Path, prefix: str) -> Any:
    """What MLflow's client finds in a store of projrun's, over HTTP."""
    with projrun_server(folder) as server:
        return dump(python, server.uri, prefix)


def bring(source: object, folder: Path) -> None:
    assert execute(["import", str(source), "--tracking-uri", f"sqlite:///{folder}/projrun.db"]) == 0


def round_trip(
    python: Path,
    server: str,
    tmp_path: Path,
    runs: int,
    points: int,
    grown: tuple[int, int],
    *,
    thorough: bool = True,
) -> None:
    """mlflow.db, ours, a real `mlflow server`, ours."""
    prefix, database = unique("trip"), tmp_path / "mlflow.db"
    script(python, "fill_script.py", f"sqlite:///{database}", runs, points, prefix)
    grow(str(database), *grown)
    expected = dump(python, f"sqlite:///{database}", prefix)
    assert len(expected["experiments"]) == 2
    first, last = tmp_path / "first", tmp_path / "last"
    bring(database, first)
    if thorough:
        assert dump_of_ours(python, first, prefix) == expected
    assert execute(["export", "--tracking-uri", f"sqlite:///{first}/projrun.db", "--to", server]) == 0
    names = [word for name in expected["experiments"] for word in ("--experiment", name)]
    if thorough:
        assert dump(python, server, prefix) == expected
    assert execute(["import", server, *names, "--tracking-uri", f"sqlite:///{last}/projrun.db"]) == 0
    found = dump_of_ours(python, last, prefix)
    assert found["experiments"] == expected["experiments"]


def test_a_database_goes_there_and_comes_back(
    mlflow3_python: Path, mlflow3_server: str, tmp_path: Path
) -> None:
    round_trip(mlflow3_python, mlflow3_server, tmp_path, 9, 20, (3, 20), thorough=False)


@pytest.mark.large
def test_a_large_database_goes_there_and_comes_back(
    mlflow3_python: Path, mlflow3_server: str, tmp_path: Path
) -> None:
    round_trip(mlflow3_python, mlflow3_server, tmp_path, 25, 60, (975, 2050))


@pytest.mark.parametrize("version", ["mlflow2", pytest.param("mlflow3", marks=pytest.mark.large)])
@pytest.mark.parametrize("kind", ["mlruns", pytest.param("database", marks=pytest.mark.large)])
def test_what_older_versions_write_arrives_whole(
    request: pytest.FixtureRequest, tmp_path: Path, version: str, kind: str
) -> None:
    python = request.getfixturevalue(f"{version}_python")
    place = tmp_path / ("mlruns" if kind == "mlruns" else "mlflow.db")
    uri = place if kind == "mlruns" else f"sqlite:///{place}"
    script(python, "fill_script.py", uri, 6, 20)
    bring(place, tmp_path / "ours")
    expected, found = dump(python, uri, ""), dump_of_ours(python, tmp_path / "ours", "")
    if (version, kind) == ("mlflow3", "mlruns"):
        # MLflow 3 keeps, and does not read: steps of values that name a dataset, a model's values but the last.
        for each in (expected, found):
            for experiment in each["experiments"].values():
                for run in experiment["runs"].values():
                    run["metrics"] = {
                        key: values for key, values in run["metrics"].items() if key in ("loss", "odd")
                    }
                for _, model in experiment["models"].values():
                    model.pop("metrics")
    assert found == expected
