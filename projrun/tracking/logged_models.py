"""`LoggedModels`: MLflow 3's models, which belong to an experiment. Errors and limits as for `RunStore`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol, runtime_checkable

from projrun.errors import NotFoundError, TrackingError
from projrun.tracking.entities import LoggedModel, LoggedModelPage, Param, Run, Tag
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore

_HISTORY = "mlflow.log-model.history"
_MOST_MODELS = 20
"""Of a run that are named."""


class DatasetChoice(NamedTuple):
    """A dataset that metrics were computed on; without a digest, every version of it."""

    name: str
    digest: str = ""


class ModelOrder(NamedTuple):
    """One ordering: an attribute, or `metrics.KEY` of which the latest value counts, on one dataset if it is given."""

    field: str
    ascending: bool = True
    dataset: DatasetChoice | None = None


@runtime_checkable
class LoggedModels(Protocol):
    """A deleted model is kept and hidden: only `get_logged_model(…, allow_deleted=True)` finds it."""

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

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel: ...
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
        """Models with any value that fulfils a filter's `metrics.KEY`; with `datasets`, a value on one of these."""
        ...

    def finalize_logged_model(self, model_id: str, status: str) -> LoggedModel: ...
    def delete_logged_model(self, model_id: str) -> None: ...
    def log_logged_model_params(self, model_id: str, params: Sequence[Param]) -> None:
        """Params are written once: the same value again is fine, another is an InvalidValueError."""
        ...

    def set_logged_model_tags(self, model_id: str, tags: Sequence[Tag]) -> None: ...
    def delete_logged_model_tag(self, model_id: str, key: str) -> None: ...


def model_of_run(store: RunStore, run: Run, name: str) -> LoggedModel | None:
    """The newest model that a run logged under a name; None where there is none, or it was deleted."""
    for output in reversed(run.model_outputs):
        with suppress(NotFoundError):
            model = part_of(store, LoggedModels).get_logged_model(output.model_id)
            if model.name == name:
                return model
    return None


def models_of_run(store: RunStore, run: Run) -> list[str]:
    """What `runs:/ID/NAME` calls the models that a run logged, each once, the newest last."""
    names = _recorded_paths(run)
    for output in run.model_outputs[-_MOST_MODELS:]:
        with suppress(TrackingError):  # deleted, or another user's
            names.append(part_of(store, LoggedModels).get_logged_model(output.model_id).name)
    return list(dict.fromkeys(names))[-_MOST_MODELS:]


def _recorded_paths(run: Run) -> list[str]:
    """Of clients before MLflow 3, which note in a tag what they put among the run's artifacts."""
    try:
        listed = json.loads(run.tag(_HISTORY) or "[]")
        return [str(each["artifact_path"]) for each in listed]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
