"""`LoggedModels`: what a store keeps of models beside the registry. `SqlStore` and `RestStore` fulfil it.

A store that only records runs needs it not. Errors, limits and semantics as for `RunStore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from projrun.tracking.entities import (
    Dataset,
    LoggedModel,
    LoggedModelPage,
    ModelOutput,
    Param,
    Tag,
)


@runtime_checkable
class LoggedModels(Protocol):
    """MLflow 3's models, which belong to an experiment, and what runs read and wrote."""

    def log_inputs(self, run_id: str, datasets: Sequence[Dataset], model_ids: Sequence[str] = ()) -> None: ...
    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None: ...
    def record_model(self, run_id: str, model_json: str) -> None:
        """Add a model to a run's history, which is how clients before MLflow 3 log one."""
        ...

    def create_logged_model(
        self,
        experiment_id: str,
        *,
        name: str = "",
        model_type: str = "",
        source_run_id: str = "",
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
        origin_id: str = "",
    ) -> LoggedModel:
        """`origin_id`, where given, is the model's id, or becomes its tag `projrun.origin.model_id`."""
        ...

    def get_logged_model(self, model_id: str) -> LoggedModel: ...
    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> LoggedModelPage: ...
    def finalize_logged_model(self, model_id: str, status: str) -> LoggedModel: ...
    def log_logged_model_params(self, model_id: str, params: Sequence[Param]) -> None: ...
    def set_logged_model_tags(self, model_id: str, tags: Sequence[Tag]) -> None: ...
