"""`projrun models show`, where it looks at a model's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.execution import execute
from projrun.tracking.entities import Run
from projrun.tracking.sql.store import SqlStore
from tests.support.registered import registered_wine

MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.7}
  sklearn: {}
model_uuid: '0123'
mlflow_version: 2.9.2
model_size_bytes: 9361
signature:
  inputs: '[{"name": "a", "type": "double"}, {"name": "b\\u001b[2J", "type": "string", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]'
  params: '[{"name": "k", "type": "long", "default": 3, "shape": null}]'
"""
REQUIREMENTS = "# made by MLflow\nscikit-learn==1.9.1\n\nskops\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text(MLMODEL)
    (tmp_path / "model" / "requirements.txt").write_text(REQUIREMENTS)
    return tmp_path / "model"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(tmp_path / "store.db")) as store:
        yield store


@pytest.fixture
def run(store: SqlStore, folder: Path) -> Run:
    """A run with the model, which is version 1 of `wine`."""
    return registered_wine(store, folder)


def shown(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> str:
    """What it printed; what it reported where another code than 0 is expected."""
    done = execute(["models", "show", *map(str, words)])
    out, err = capsys.readouterr()
    assert done == code, err
    return err if code else out


def test_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, folder).splitlines() == [
        f"model        {folder}",
        "flavors      python_function, sklearn",
        "model id     0123",
        "mlflow       2.9.2",
        "python       3.11.7",
        "size         9 kB",
        "input        a: double",
        "input        b\\x1b[2J: string (optional)",
        "output       float32(-1, 3)",
        "param        k: long = 3",
        "requires     scikit-learn==1.9.1",
        "requires     skops",
    ]


def test_a_folder_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(shown(capsys, folder, "--json"))
    assert document["uri"] == str(folder)
    assert document["signature"]["inputs"][0] == {"name": "a", "type": "double", "required": True}
    assert document["signature"]["params"][0]["default"] == 3
    assert document["requirements"] == ["scikit-learn==1.9.1", "skops"]
    assert document["size_bytes"] == 9361


@pytest.mark.parametrize("address", ["runs:/{}/model", "runs:/{:.6}/model", "runs:/latest/model"])
def test_a_run(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str) -> None:
    words = (address.format(run.run_id), "--tracking-uri", f"sqlite:///{tmp_path}/store.db")
    assert f"model        runs:/{run.run_id}/model\n" in shown(capsys, *words)


def test_a_version(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("wine/1", "--tracking-uri", f"sqlite:///{tmp_path}/store.db")
    text = shown(capsys, *words)
    assert text.index("version      wine/1") < text.index("requires     skops")
    document = json.loads(shown(capsys, *words, "--json"))
    assert (document["version"], document["files"]["mlflow_version"]) == ("1", "2.9.2")


def test_a_version_whose_files_are_gone(
    store: SqlStore, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.artifact_directory(run.artifact_uri) / "model" / "MLmodel").unlink()
    assert execute(["models", "show", "wine/1", "--tracking-uri", f"sqlite:///{tmp_path}/store.db"]) == 0
    out, err = capsys.readouterr()
    assert "version      wine/1" in out
    assert "the files of wine/1 cannot be looked at: " in err


def test_a_folder_that_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not a model: it has no MLmodel file" in shown(capsys, tmp_path, code=2)
