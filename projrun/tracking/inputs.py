"""`Inputs`: the datasets and models that runs read and wrote. Errors and limits as for `RunStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from projrun.tracking.entities import Dataset, ModelOutput


class DatasetUse(NamedTuple):
    """A dataset that runs of an experiment read, and what for (`mlflow.data.context`)."""

    experiment_id: str
    name: str
    digest: str
    context: str = ""


@runtime_checkable
class Inputs(Protocol):
    """What a store offers beside params and metrics."""

    def log_inputs(self, run_id: str, datasets: Sequence[Dataset], model_ids: Sequence[str] = ()) -> None: ...
    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None: ...
    def record_model(self, run_id: str, model_json: str) -> None:
        """Add a model to a run's history, which is how clients before MLflow 3 log one."""
        ...

    def search_datasets(self, experiment_ids: Sequence[str]) -> tuple[DatasetUse, ...]:
        """The datasets of at most 20 experiments, at most 1,000 of them."""
        ...
