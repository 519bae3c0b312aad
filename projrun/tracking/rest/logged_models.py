"""`RestLoggedModels`: the logged models of a tracking server. MLflow keeps them since version 3."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from projrun.tracking.entities import LoggedModel, LoggedModelPage, Param, Tag
from projrun.tracking.logged_models import DatasetChoice, ModelOrder
from projrun.tracking.origin import ORIGIN_MODEL
from projrun.tracking.rest import wire
from projrun.tracking.rest.transport import API, Transport


class RestLoggedModels:
    """The `LoggedModels` of a tracking server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

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
        return self._transport.post(f"{API}logged-models", body, wire.logged_model_answer, idempotent=False)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """NotFoundError where there is none."""
        query = [("allow_deleted", "true")] if allow_deleted else []
        return self._transport.get(_path(model_id), query, wire.logged_model_answer)

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        datasets: Sequence[DatasetChoice] = (),
        max_results: int = 100,
        order_by: Sequence[ModelOrder] = (),
        page_token: str = "",
    ) -> LoggedModelPage:
        """A page of logged models, the newest first where no order is given."""
        orders = [_order(order) for order in order_by]
        body: dict[str, object] = {
            "experiment_ids": list(experiment_ids),
            **wire.search_body(filter_string, max_results, orders, page_token),
        }
        if datasets:
            body["datasets"] = [_choice(dataset) for dataset in datasets]
        return self._transport.post(f"{API}logged-models/search", body, wire.logged_models_answer)

    def finalize_logged_model(self, model_id: str, status: str) -> LoggedModel:
        """Mark a model as ready, or its upload as failed."""
        body = {"model_id": model_id, "status": status}
        return self._transport.post(_path(model_id), body, wire.logged_model_answer, method="PATCH")

    def delete_logged_model(self, model_id: str) -> None:
        """NotFoundError where there is no such model."""
        self._transport.post(_path(model_id), {"model_id": model_id}, wire.nothing, method="DELETE")

    def log_logged_model_params(self, model_id: str, params: Sequence[Param]) -> None:
        """NotFoundError where there is no such model, InvalidValueError for a param that it has."""
        body = {"model_id": model_id, "params": wire.pairs(list(params))}
        self._transport.post(f"{_path(model_id)}/params", body, wire.nothing)

    def set_logged_model_tags(self, model_id: str, tags: Sequence[Tag]) -> None:
        """NotFoundError where there is no such model."""
        body = {"model_id": model_id, "tags": wire.pairs(list(tags))}
        self._transport.post(f"{_path(model_id)}/tags", body, wire.nothing, method="PATCH")

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """NotFoundError where the model has no such tag."""
        path = f"{_path(model_id)}/tags/{quote(key, safe='')}"
        self._transport.post(path, {}, wire.nothing, method="DELETE", idempotent=False)


def _path(model_id: str) -> str:
    return f"{API}logged-models/{quote(model_id, safe='')}"


def _choice(dataset: DatasetChoice) -> dict[str, object]:
    digest = {"dataset_digest": dataset.digest} if dataset.digest else {}
    return {"dataset_name": dataset.name, **digest}


def _order(order: ModelOrder) -> dict[str, object]:
    return {
        "field_name": order.field,
        "ascending": order.ascending,
        **({} if order.dataset is None else _choice(order.dataset)),
    }
