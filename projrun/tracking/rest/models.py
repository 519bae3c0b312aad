"""Models over MLflow's REST API: `LoggedModels` for `RestStore`."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from projrun.tracking.entities import (
    Dataset,
    LoggedModel,
    LoggedModelPage,
    ModelOutput,
    Param,
    Tag,
)
from projrun.tracking.origin import ORIGIN_MODEL
from projrun.tracking.rest import wire
from projrun.tracking.rest.transport import Transport

API = "api/2.0/mlflow/"


class RestModels:
    """The models of a tracking server. MLflow keeps logged models since version 3."""

    transport: Transport

    # logged models

    def log_inputs(self, run_id: str, datasets: Sequence[Dataset], model_ids: Sequence[str] = ()) -> None:
        """Record the datasets and the logged models that a run read."""
        body: dict[str, object] = {
            "run_id": run_id,
            "datasets": [wire.dataset_body(each) for each in datasets],
        }
        if model_ids:
            body["models"] = [{"model_id": model_id} for model_id in model_ids]
        self.transport.post(f"{API}runs/log-inputs", body, wire.nothing)

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        """Record the logged models that a run wrote."""
        body = {"run_id": run_id, "models": [model._asdict() for model in models]}
        self.transport.post(f"{API}runs/outputs", body, wire.nothing)

    def record_model(self, run_id: str, model_json: str) -> None:
        """Add a model to a run's history, which is how clients before MLflow 3 log one."""
        body = {"run_id": run_id, "model_json": model_json}
        self.transport.post(f"{API}runs/log-model", body, wire.nothing, idempotent=False)

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
        """A model that is pending until it is finalized."""
        origin = [Tag(ORIGIN_MODEL, origin_id)] if origin_id else []
        body: dict[str, object] = {
            "experiment_id": experiment_id,
            "params": wire.pairs(list(params)),
            "tags": wire.pairs([*tags, *origin]),
        }
        given = (("name", name), ("model_type", model_type), ("source_run_id", source_run_id))
        body |= {key: value for key, value in given if value}
        return self.transport.post(f"{API}logged-models", body, wire.logged_model_answer, idempotent=False)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """NotFoundError where there is none."""
        return self.transport.get(_path(model_id), (), wire.logged_model_answer)

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> LoggedModelPage:
        """A page of logged models, the newest first where no order is given."""
        body: dict[str, object] = {"experiment_ids": list(experiment_ids)}
        orders = [_order(text) for text in order_by]
        body |= search_body(filter_string, max_results, orders, page_token)
        return self.transport.post(f"{API}logged-models/search", body, wire.logged_models_answer)

    def finalize_logged_model(self, model_id: str, status: str) -> LoggedModel:
        """Mark a model as ready, or its upload as failed."""
        body = {"model_id": model_id, "status": status}
        return self.transport.post(_path(model_id), body, wire.logged_model_answer, method="PATCH")

    def log_logged_model_params(self, model_id: str, params: Sequence[Param]) -> None:
        """NotFoundError where there is no such model."""
        body = {"model_id": model_id, "params": wire.pairs(list(params))}
        self.transport.post(f"{_path(model_id)}/params", body, wire.nothing)

    def set_logged_model_tags(self, model_id: str, tags: Sequence[Tag]) -> None:
        """NotFoundError where there is no such model."""
        body = {"model_id": model_id, "tags": wire.pairs(list(tags))}
        self.transport.post(f"{_path(model_id)}/tags", body, wire.nothing, method="PATCH")


def _path(model_id: str) -> str:
    return f"{API}logged-models/{quote(model_id, safe='')}"


def _order(text: str) -> dict[str, object]:
    """`field DESC` as logged models' search takes it."""
    words = text.split()
    direction = words[-1].upper() if len(words) > 1 else ""
    field = " ".join(words[:-1]) if direction in ("ASC", "DESC") else text.strip()
    return {"field_name": field, "ascending": direction != "DESC"}


def search_body(
    filter_string: str, max_results: int, order_by: Sequence[object], page_token: str
) -> dict[str, object]:
    """What all searches have in common."""
    body: dict[str, object] = {"max_results": max_results}
    optional = (("filter", filter_string), ("order_by", list(order_by)), ("page_token", page_token))
    return body | {key: value for key, value in optional if value}
