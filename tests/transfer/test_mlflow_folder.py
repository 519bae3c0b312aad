"""Folders `mlruns`: what MLflow writes by hand, and what is damaged in them. Real ones are in tests/integration."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from projrun.errors import RequestError
from projrun.transfer.lines import Lines
from projrun.transfer.mlflow.folder import MlflowFolder

RUN, OLD = "a" * 32, "b" * 32


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.fixture
def mlruns(tmp_path: Path) -> Path:
    folder = tmp_path / "mlruns"
    write(
        folder,
        {
            "7/meta.yaml": "experiment_id: '7'\nname: wine\nartifact_location: file:///elsewhere/7\n",
            "7/tags/mlflow.note.content": "red\nwhite",
            f"7/{RUN}/meta.yaml": f"run_id: {RUN}\nrun_name: first\nstatus: 3\nstart_time: 5\nend_time: 9\n"
            f"artifact_uri: file:///elsewhere/7/{RUN}/artifacts\nlifecycle_stage: active\nuser_id: ada\n",
            f"7/{RUN}/params/deep/er": "x",
            f"7/{RUN}/params/empty": "",
            f"7/{RUN}/metrics/loss": "1 0.5 0\n2 nan 1\n3 inf 2 my data d1\n",
            f"7/{RUN}/tags/note": "ü\n\n",
            f"7/{RUN}/artifacts/a/b.txt": "text",
            # MLflow 1: numbers for ids, no name, no stage, no steps.
            f"7/{OLD}/meta.yaml": f"run_uuid: {OLD}\nname: ''\nexperiment_id: 7\nstatus: 4\n"
            "start_time: 1\nend_time: null\n",
            f"7/{OLD}/metrics/loss": "1 2.5\n",
            ".trash/8/meta.yaml": "experiment_id: '8'\nname: gone\nlifecycle_stage: deleted\n",
        },
    )
    return folder


def lines(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    source = MlflowFolder(folder)
    read = Lines(source)
    return [*read], [*read.done.missing, *source.skipped]


def test_all_of_it_is_read(mlruns: Path) -> None:
    found, missing = lines(mlruns)
    assert missing == []
    assert [(line["name"], line["lifecycle_stage"]) for line in found if line["type"] == "experiment"] == [
        ("wine", "active"),
        ("gone", "deleted"),
    ]
    old, first = (line for line in found if line["type"] == "run")
    assert (old["run_id"], old["status"], old["end_time"]) == (OLD, "FAILED", None)
    assert (first["run_name"], first["params"], first["tags"]) == (
        "first",
        {"deep/er": "x", "empty": ""},
        {"note": "ü\n\n"},
    )
    metrics = [line for line in found if line["type"] == "metric"]
    assert [line["points"] for line in metrics] == [
        [[0, 1, 2.5]],
        [[0, 1, 0.5], [1, 2, "NaN"]],
        [[2, 3, "Infinity"]],
    ]
    assert (metrics[2]["dataset_name"], metrics[2]["dataset_digest"]) == ("my data", "d1")
    (artifact,) = (line for line in found if line["type"] == "artifact")
    assert (artifact["path"], artifact["size"]) == ("a/b.txt", 4)
    json.dumps(found, allow_nan=False)
    assert not math.isnan(first["start_time"])


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        (f"7/{RUN}/meta.yaml", "a: [", "line 2: not valid YAML"),
        (f"7/{RUN}/meta.yaml", "", "is empty"),
        (f"7/{RUN}/meta.yaml", f"run_id: {RUN}\nstatus: 9\n", "unknown status 9"),
        (f"7/{RUN}/meta.yaml", f"run_id: {RUN}\nstatus: [1]\n", "'status' is missing or not a number"),
        (f"7/{RUN}/metrics/loss", "1 0.5 0\nnonsense\n3 1 2\n", "line 2: not a value of a metric"),
        (
            f"7/{RUN}/inputs/x/meta.yaml",
            "source_type: DATASET\nsource_id: ../..\n",
            "'../..' is not a dataset's id",
        ),
        (f"7/{RUN}/metrics/loss", "1 0.5 0" + " " * 100_000, "line 1: more than 65536 characters"),
        ("9/meta.yaml", "name: no id\n", "'experiment_id' is missing or not a text"),
    ],
)
def test_what_is_damaged_is_named_and_the_rest_is_read(
    mlruns: Path, name: str, text: str, named: str
) -> None:
    write(mlruns, {name: text})
    found, missing = lines(mlruns)
    assert len(missing) == 1
    assert named in missing[0]
    assert str(mlruns / name) in missing[0]
    assert next(line["run_id"] for line in found if line["type"] == "run") == OLD


@pytest.mark.parametrize("place", ["inputs", "outputs"])
def test_what_a_run_used_that_cannot_be_read_leaves_the_run(mlruns: Path, place: str) -> None:
    (mlruns / "7" / RUN / place / "x").mkdir(parents=True)
    found, missing = lines(mlruns)
    assert [line["run_id"] for line in found if line["type"] == "run"] == [OLD, RUN]
    assert len(missing) == 1
    assert f"{place}/x/meta.yaml does not exist" in missing[0]


def test_aliases_in_tags_are_not_written_out(mlruns: Path) -> None:
    nested = "\n".join(f"  t{n}: &t{n} [{', '.join([f'*t{n - 1}'] * 9)}]" for n in range(1, 13))
    text = f"source_type: DATASET\nsource_id: d\ntags:\n  t0: &t0 [x]\n{nested}\n"
    write(
        mlruns,
        {"7/datasets/d/meta.yaml": "name: d\ndigest: '1'\n", f"7/{RUN}/inputs/x/meta.yaml": text},
    )
    _, missing = lines(mlruns)
    assert missing == [f"{mlruns}/7/{RUN}/inputs/x/meta.yaml: 'tags' is not a mapping of texts"]


def test_pipes_are_not_waited_for(mlruns: Path) -> None:
    for place in ("metrics/pipe", "params/pipe"):
        os.mkfifo(mlruns / "7" / RUN / place)
    found, missing = lines(mlruns)
    assert len([line for line in found if line["type"] == "run"]) == 2
    assert sorted(text.partition(f"{RUN}/")[2].partition("/")[0] for text in missing) == ["metrics", "params"]


@pytest.mark.parametrize("place", ["params", "tags", "artifacts"])
def test_folders_of_a_run_that_are_links_are_not_followed(mlruns: Path, tmp_path: Path, place: str) -> None:
    write(tmp_path, {"secret/id_rsa": "secret"})
    folder = mlruns / "7" / RUN / place
    shutil.rmtree(folder)
    folder.symlink_to(tmp_path / "secret")
    found, missing = lines(mlruns)
    assert "secret" not in json.dumps(found)
    assert "id_rsa" not in json.dumps(found)
    assert len(missing) == 1
    assert "is a link" in missing[0]


def test_links_out_of_it_are_not_followed(mlruns: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for place in ("params/stolen", "tags/stolen", "artifacts/stolen"):
        (mlruns / "7" / RUN / place).symlink_to(secret)
    found, _ = lines(mlruns)
    assert "secret" not in json.dumps(found)
    assert [line["path"] for line in found if line["type"] == "artifact"] == ["a/b.txt"]


def test_a_place_that_is_not_like_mlflows_is_not_read(mlruns: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "id_rsa").write_text("secret")
    write(mlruns, {f"7/{OLD}/meta.yaml": f"run_id: {OLD}\nstatus: 3\nartifact_uri: {tmp_path / 'keys'}\n"})
    found, missing = lines(mlruns)
    assert "id_rsa" not in json.dumps(found)
    assert "is not where MLflow keeps them" in missing[0]


def test_a_folder_without_experiments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match=r"is not a folder of MLflow's: it has no experiment with a meta\.yaml"
    ):
        MlflowFolder(tmp_path)
