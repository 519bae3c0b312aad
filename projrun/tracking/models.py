"""`ModelRegistry` and `LoggedModels`: what a store keeps of models. `SqlStore` and `RestStore` fulfil both.

A store that only records runs needs neither. Errors, limits and semantics as for `RunStore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from projrun.tracking.entities import (
    Dataset,
    LoggedModel,
    LoggedModelPage,
    ModelOutput,
    ModelVersion,
    Param,
    RegisteredModel,
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


@runtime_checkable
class ModelRegistry(Protocol):
    """Registered models and their numbered versions."""

    def create_registered_model(
        self, name: str, *, description: str = "", tags: Sequence[Tag] = ()
    ) -> RegisteredModel: ...
    def get_registered_model(self, name: str) -> RegisteredModel: ...
    def create_model_version(
        self,
        name: str,
        *,
        source: str,
        run_id: str = "",
        description: str = "",
        model_id: str = "",
        run_link: str = "",
        tags: Sequence[Tag] = (),
    ) -> ModelVersion: ...
    def get_model_version(self, name: str, version: str) -> ModelVersion: ...
    def get_model_version_download_uri(self, name: str, version: str) -> str: ...
