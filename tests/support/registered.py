"""A registered model, and `projrun models` against any store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.tracking.entities import Run
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore


def registered_wine(store: RunStore, folder: Path) -> Run:
    """A run of the store with the files of a folder as `model`, which is version 1 of `wine`."""
    run = store.create_run("0", start_time=1)
    artifacts = store.artifacts(run.artifact_uri)
    for file in folder.iterdir():
        artifacts.upload(file, f"model/{file.name}")
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model("wine")
    registry.create_model_version("wine", source=f"{run.artifact_uri}/model", run_id=run.run_id)
    return run


class ModelsCommand:
    """`projrun models` against one store, in this process."""

    def __init__(self, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.uri = uri
        self._capsys = capsys

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        """What it printed; what it reported where another code than 0 is expected."""
        self._capsys.readouterr()
        done = execute(["models", *map(str, words), "--tracking-uri", self.uri])
        out, err = self._capsys.readouterr()
        assert done == code, err
        return out.strip() if code == 0 else err

    def document(self, *words: str | Path) -> Any:
        """The JSON that it printed."""
        return json.loads(self(*words, "--json"))
