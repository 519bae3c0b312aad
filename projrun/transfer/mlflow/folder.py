"""`MlflowFolder`: a folder `mlruns`, as MLflow 1, 2 and 3 write it, as a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from projrun.errors import RequestError
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import (
    Dataset,
    Experiment,
    LoggedModel,
    Metric,
    ModelAlias,
    ModelOutput,
    ModelVersion,
    Param,
    RegisteredModel,
    Run,
    Tag,
)
from projrun.tracking.statuses import LifecycleStage
from projrun.transfer.mlflow.files import META, Meta, UnreadableError, entries, keys, lines, read_text
from projrun.transfer.mlflow.places import ArtifactPlaces
from projrun.transfer.mlflow.statuses import MODEL_STATUSES, RUN_STATUSES
from projrun.transfer.source import SourceModel

Value = TypeVar("Value")
_TRASH = ".trash"
_MODELS = "models"
_NO_RUNS = {"tags", "datasets", "traces", _MODELS, "assessments"}


class MlflowFolder:
    """A `Source`."""

    def __init__(self, folder: Path, destination: str = "") -> None:
        """Raises RequestError for a folder without experiments."""
        self.uri = str(folder)
        self.skipped: list[str] = []
        self._folder = folder
        self._places = ArtifactPlaces(folder, destination, self.skipped)
        self._experiments: dict[str, Path] = {}
        self._owners: dict[str, Path] = {}
        """The folders of the runs and models of the experiment that is being read."""
        if not any(True for _ in self._experiment_folders()):
            raise RequestError(
                f"{folder} is not a folder of MLflow's: it has no experiment with a {META}",
                hint="give the folder `mlruns`",
            )

    @property
    def notes(self) -> Sequence[str]:
        """What people should know."""
        return [*self._places.notes]

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def _skipping(self) -> Iterator[None]:
        """What cannot be read is named, once."""
        try:
            yield
        except UnreadableError as error:
            if error.message not in self.skipped:
                self.skipped.append(error.message)

    def _experiment_folders(self) -> Iterator[Path]:
        for root in (self._folder, self._folder / _TRASH):
            for folder in entries(root):
                if folder.name not in (_TRASH, _MODELS) and (folder / META).exists():
                    yield folder

    def experiments(self) -> Iterator[Experiment]:
        """Those in `.trash`, too."""
        for folder in self._experiment_folders():
            with self._skipping():
                meta = Meta(folder)
                number = meta.text("experiment_id")
                self._experiments[number] = folder
                yield Experiment(
                    number,
                    meta.text("name"),
                    meta.text("artifact_location", ""),
                    _stage(meta),
                    meta.number("creation_time", 0),
                    meta.number("last_update_time", 0),
                    self._tags(folder),
                )

    # runs

    def runs(self, experiment: Experiment) -> Iterator[Run]:
        """By start."""
        for run in self.heads(experiment):
            with self._skipping():
                yield self._with_data(run)

    def heads(self, experiment: Experiment) -> Iterator[Run]:
        """The same, with tags."""
        self._owners.clear()
        found = list[tuple[int, Path]]()
        for folder in entries(self._experiments[experiment.experiment_id]):
            if folder.name not in _NO_RUNS and folder.is_dir() and not folder.is_symlink():
                with self._skipping():
                    found.append((Meta(folder).number("start_time", 0), folder))
        for _, folder in sorted(found):
            with self._skipping():
                yield self._head(experiment, folder)

    def _head(self, experiment: Experiment, folder: Path) -> Run:
        meta = Meta(folder)
        status = meta.number("status", 1)
        if status not in RUN_STATUSES:
            raise UnreadableError(f"{meta.file}: unknown status {status}")
        run_id = meta.text("run_id", "") or meta.text("run_uuid")
        self._owners[run_id] = folder
        return Run(
            run_id,
            experiment.experiment_id,
            meta.text("run_name", "") or meta.text("name", ""),
            RUN_STATUSES[status],
            meta.number("start_time", 0),
            meta.number("end_time", 0) or None,
            meta.text("artifact_uri", ""),
            meta.text("user_id", ""),
            _stage(meta),
            tags=self._tags(folder),
        )

    def _with_data(self, run: Run) -> Run:
        folder = self._owners[run.run_id]
        inputs, outputs = folder / "inputs", folder / "outputs"
        return run._replace(
            params=tuple([Param(*pair) for pair in self._values(folder / "params")]),
            metrics=tuple([Metric(key, 0.0, 0) for key, _ in self._keys(folder / "metrics")]),
            datasets=tuple(self._linked(inputs, "DATASET", partial(_dataset, folder.parent / "datasets"))),
            model_inputs=tuple(self._linked(inputs, "MODEL", lambda meta: meta.text("source_id"))),
            model_outputs=tuple(self._linked(outputs, "RUN_OUTPUT", _output)),
        )

    def _keys(self, folder: Path) -> list[tuple[str, Path]]:
        found: list[tuple[str, Path]] = []
        with self._skipping():
            found.extend(keys(folder))
        return found

    def _values(self, folder: Path) -> list[tuple[str, str]]:
        """Keys and texts."""
        found = []
        for key, file in self._keys(folder):
            with self._skipping():
                found.append((key, read_text(file)))
        return found

    def _tags(self, folder: Path) -> tuple[Tag, ...]:
        return tuple([Tag(*pair) for pair in self._values(folder / "tags")])

    def _linked(self, folder: Path, kind: str, read: Callable[[Meta], Value]) -> list[Value]:
        """What a run read or wrote. One that cannot be read is left out, and not the run."""
        found = []
        with self._skipping():
            for entry in entries(folder):
                with self._skipping():
                    meta = Meta(entry)
                    if meta.text("source_type", "") == kind:
                        found.append(read(meta))
        return found

    def points(self, run: Run) -> Iterator[Metric]:
        """In the order in which they were logged."""
        for key, file in self._keys(self._owners[run.run_id] / "metrics"):
            for number, words in self._lines(file):
                with self._skipping():
                    yield _point(key, file, number, words)

    def _lines(self, file: Path) -> Iterator[tuple[int, list[str]]]:
        """The words of a file's lines: it may have millions."""
        with self._skipping():
            for number, line in lines(file):
                if words := line.split():
                    yield number, words

    # models

    def models(self, experiment: Experiment) -> Iterator[SourceModel]:
        """Of MLflow 3."""
        for folder in entries(self._experiments[experiment.experiment_id] / _MODELS):
            with self._skipping():
                yield self._model(experiment, folder)

    def _model(self, experiment: Experiment, folder: Path) -> SourceModel:
        meta = Meta(folder)
        model_id = meta.text("model_id")
        self._owners[model_id] = folder
        metrics = [
            _model_point(key, file, number, words, model_id)
            for key, file in self._keys(folder / "metrics")
            for number, words in self._lines(file)
        ]
        status = meta.number("status", 1)
        model = LoggedModel(
            model_id,
            experiment.experiment_id,
            meta.text("name", ""),
            meta.text("artifact_location", "") or meta.text("artifact_uri", ""),
            meta.number("creation_timestamp", 0),
            meta.number("last_updated_timestamp", 0),
            MODEL_STATUSES.get(status, MODEL_STATUSES[1]),
            meta.text("model_type", ""),
            meta.text("source_run_id", ""),
            self._tags(folder),
            tuple([Param(*pair) for pair in self._values(folder / "params")]),
            tuple(metrics),
        )
        return SourceModel(model, deleted=_stage(meta) == "deleted")

    def registered_models(self) -> Iterator[RegisteredModel]:
        """Those of `models/`."""
        for folder in entries(self._folder / _MODELS):
            with self._skipping():
                meta = Meta(folder)
                yield RegisteredModel(
                    meta.text("name"),
                    meta.number("creation_timestamp", 0),
                    meta.number("last_updated_timestamp", 0),
                    meta.text("description", ""),
                    self._tags(folder),
                    aliases=tuple(
                        [ModelAlias(key, text.strip()) for key, text in self._values(folder / "aliases")]
                    ),
                )

    def versions(self, model: RegisteredModel) -> Iterator[ModelVersion]:
        """Those that were not deleted."""
        folders = entries(self._folder / _MODELS / model.name)
        numbered = [(folder.name.removeprefix("version-"), folder) for folder in folders]
        for number, folder in sorted(
            (int(text), folder) for text, folder in numbered if text.isdecimal() and text != folder.name
        ):
            with self._skipping():
                meta = Meta(folder)
                if meta.text("current_stage", "None") == "Deleted_Internal":
                    continue
                yield ModelVersion(
                    model.name,
                    str(number),
                    meta.number("creation_timestamp", 0),
                    meta.number("last_updated_timestamp", 0),
                    meta.text("source", ""),
                    meta.text("run_id", ""),
                    meta.text("status", "READY"),
                    meta.text("description", ""),
                    meta.text("model_id", ""),
                    meta.text("run_link", ""),
                    meta.text("current_stage", "None"),
                    self._tags(folder),
                    user_id=meta.text("user_id", ""),
                )

    def artifacts(self, owner: Run | LoggedModel) -> ArtifactRepository | None:
        """Beside what is known of the owner, or where that says: a folder may have been copied from elsewhere."""
        name = owner.run_id if isinstance(owner, Run) else owner.model_id
        return self._places.of(owner, self._owners[name] / "artifacts")


def _stage(meta: Meta) -> LifecycleStage:
    return "deleted" if meta.text("lifecycle_stage", "active") == "deleted" else "active"


def _dataset(folder: Path, use: Meta) -> Dataset:
    """A dataset of `folder`, as a run uses it."""
    name = use.text("source_id")
    if "/" in name or name.startswith("."):
        raise UnreadableError(f"{use.file}: {name!r} is not a dataset's id")
    meta = Meta(folder / name)
    return Dataset(
        meta.text("name"),
        meta.text("digest"),
        meta.text("source_type", ""),
        meta.text("source", ""),
        meta.optional("schema"),
        meta.optional("profile"),
        tuple([Tag(*pair) for pair in use.pairs("tags").items()]),
    )


def _output(meta: Meta) -> ModelOutput:
    return ModelOutput(meta.text("source_id"), meta.number("step", 0))


def _point(key: str, file: Path, number: int, words: list[str]) -> Metric:
    """`time value [step [dataset's name and digest]]`, as MLflow writes it; a name may have spaces."""
    try:
        step = int(words[2]) if len(words) > 2 else 0
        name, digest = (" ".join(words[3:-1]), words[-1]) if len(words) > 4 else (None, None)
        return Metric(key, float(words[1]), int(words[0]), step, name, digest)
    except (ValueError, IndexError) as error:
        raise UnreadableError(f"{file}, line {number}: not a value of a metric") from error


def _model_point(key: str, file: Path, number: int, words: list[str], model_id: str) -> Metric:
    """`time value step run [dataset's name and digest]`."""
    point = _point(key, file, number, [*words[:3], *words[4:]])
    if len(words) < 4:
        raise UnreadableError(f"{file}, line {number}: not a value of a model's metric")
    return point._replace(model_id=model_id, run_id=words[3])
