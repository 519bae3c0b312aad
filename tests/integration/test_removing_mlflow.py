"""Commands that delete, against a real MLflow server."""

from __future__ import annotations

import json
import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from projrun.testing.run_store_base import unique
from projrun.tracking.open import open_store
from projrun.tracking.uri import parse_tracking_uri
from tests.support.commands import run_projrun

pytestmark = pytest.mark.integration


def test_deleting_and_restoring_at_a_server_of_mlflow(mlflow3_server: str, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_text("x", encoding="utf-8")
    environ = {"PROJRUN_HOME": str(tmp_path / "home"), "MLFLOW_TRACKING_URI": mlflow3_server}
    name = unique("removing")

    def projrun(*words: str, code: int = 0) -> str:
        done = run_projrun(*words, environ=environ)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    with closing(open_store(parse_tracking_uri(mlflow3_server, tmp_path), os.environ, warn=print)) as store:
        projrun("experiments", "create", name)
        found = store.get_experiment_by_name(name)
        assert found is not None
        run = store.create_run(found.experiment_id, run_name="trained", start_time=1)
        repository = store.artifacts(run.artifact_uri)
        for path in ("model/data.bin", "log.txt"):
            repository.upload(tmp_path / "data.bin", path)
        projrun("artifacts", "delete", run.run_id, "model/data.bin", "--yes")
        assert [file.path for file in (*repository.list(), *repository.list("model"))
                if not file.is_dir] == ["log.txt"]  # fmt: skip
        assert "removes nothing for good" in projrun(
            "runs", "delete", run.run_id, "--permanently", "--yes", code=2
        )
        projrun("runs", "delete", run.run_id)
        assert store.get_run(run.run_id).lifecycle_stage == "deleted"
        projrun("runs", "restore", run.run_id)
        projrun("experiments", "rename", name, f"{name}-2")
        projrun("experiments", "delete", f"{name}-2")
        assert store.get_run(run.run_id).lifecycle_stage == "deleted"
        projrun("experiments", "restore", f"{name}-2")
        assert store.get_run(run.run_id).lifecycle_stage == "active"


def test_the_doctor_knows_a_server_of_mlflow(mlflow3_server: str, tmp_path: Path) -> None:
    environ = {"PROJRUN_HOME": str(tmp_path / "home"), "MLFLOW_TRACKING_URI": mlflow3_server}
    done = run_projrun("doctor", "--json", environ=environ)
    (store,) = (each for each in json.loads(done.stdout)["findings"] if each["name"] == "tracking")
    assert store["state"] == "ok"
    assert re.match(rf"{mlflow3_server}, MLflow 3\.\d", store["text"])
