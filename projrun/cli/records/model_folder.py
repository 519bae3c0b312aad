"""A model's folder as what the store keeps: found there, or copied into it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from projrun.errors import ProjrunError, RequestError, TrackingError
from projrun.models.mlmodel import MLmodel, read_mlmodel
from projrun.tracking.entities import LoggedModel, Run
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore

_DEFAULT_EXPERIMENT = "0"
_READY = "LOGGED_MODEL_READY"


def kept_folder(store: RunStore, folder: Path) -> LoggedModel | tuple[Run, str]:
    """The logged model whose folder it is, or the run and the path in it; else a new logged model with its files.

    Raises RequestError for a folder without an MLmodel file.
    """
    if not folder.is_dir():
        raise RequestError(
            f"folder {str(folder)!r} not found", hint="give a model's folder, or runs:/RUN/PATH"
        )
    mlmodel = read_mlmodel(folder)
    models = part_of(store, LoggedModels)
    if mlmodel.model_id.startswith("m-"):
        with suppress(TrackingError):  # not there, or a server without logged models
            model = models.get_logged_model(mlmodel.model_id)
            if store.artifacts(model.artifact_uri).folder == folder:
                return model
    run = _run_of(store, mlmodel)
    if run is not None:
        root = store.artifacts(run.artifact_uri).folder
        if root is not None and folder.is_relative_to(root):
            return run, folder.relative_to(root).as_posix()
    return _copied(store, folder, run)


def _run_of(store: RunStore, mlmodel: MLmodel) -> Run | None:
    """The run that made it, where this store has it."""
    if not mlmodel.run_id:
        return None
    with suppress(ProjrunError):
        return store.get_run(mlmodel.run_id)
    return None


def _copied(store: RunStore, folder: Path, run: Run | None) -> LoggedModel:
    models = part_of(store, LoggedModels)
    try:
        model = models.create_logged_model(
            run.experiment_id if run else _DEFAULT_EXPERIMENT,
            name=re.sub(r"[/:.%\"']", "-", folder.name),  # what MLflow refuses in such names
            source_run_id=run.run_id if run else "",
        )
    except TrackingError as error:
        raise TrackingError(
            f"{folder} cannot be copied into {store.uri}: {error.message}",
            hint="servers before MLflow 3 keep models in runs only: log it with a run, and register runs:/RUN/PATH",
        ) from error
    try:
        artifacts = store.artifacts(model.artifact_uri)
        for file in _files(folder):
            artifacts.upload(file, file.relative_to(folder).as_posix())
    except BaseException:
        with suppress(ProjrunError):
            models.delete_logged_model(model.model_id)
        raise
    return models.finalize_logged_model(model.model_id, _READY)


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in sorted(names))
