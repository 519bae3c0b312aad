"""`RestInputs`: what runs read and wrote, on a tracking server."""

from __future__ import annotations

from collections.abc import Sequence

from projrun.tracking.entities import Dataset, ModelOutput
from projrun.tracking.inputs import DatasetUse
from projrun.tracking.rest import wire
from projrun.tracking.rest.transport import API, Transport

_PAGES_API = "ajax-api/2.0/mlflow/"
"""Where MLflow's servers have what only their page asks for."""


class RestInputs:
    """The `Inputs` of a tracking server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def log_inputs(self, run_id: str, datasets: Sequence[Dataset], model_ids: Sequence[str] = ()) -> None:
        """Record the datasets and the logged models that a run read."""
        body: dict[str, object] = {
            "run_id": run_id,
            "datasets": [wire.dataset_body(each) for each in datasets],
        }
        if model_ids:
            body["models"] = [{"model_id": model_id} for model_id in model_ids]
        self._transport.post(f"{API}runs/log-inputs", body, wire.nothing)

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        """Record the logged models that a run wrote."""
        body = {"run_id": run_id, "models": [model._asdict() for model in models]}
        self._transport.post(f"{API}runs/outputs", body, wire.nothing)

    def record_model(self, run_id: str, model_json: str) -> None:
        """Add a model to a run's history, which is how clients before MLflow 3 log one."""
        body = {"run_id": run_id, "model_json": model_json}
        self._transport.post(f"{API}runs/log-model", body, wire.nothing, idempotent=False)

    def search_datasets(self, experiment_ids: Sequence[str]) -> tuple[DatasetUse, ...]:
        """The datasets of some experiments."""
        body = {"experiment_ids": list(experiment_ids)}
        path = f"{_PAGES_API}experiments/search-datasets"
        return self._transport.post(path, body, wire.datasets_answer)
