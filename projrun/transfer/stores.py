"""`StoreSource`: any tracking store as a source; over HTTP as well as in a file of projrun's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from projrun.errors import NotFoundError, ProjrunError
from projrun.journal.values import history
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Experiment, LoggedModel, Metric, ModelVersion, RegisteredModel, Run
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.origin import ORIGIN, ORIGIN_MODEL
from projrun.tracking.parts import find_part
from projrun.tracking.registry import IS_PROMPT, ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.transfer.source import SourceModel

_PAGE = 1000
_RUNS = 200
"""A page of runs: each may have hundreds of values."""


class StoreSource:
    """A `Source`."""

    def __init__(self, store: RunStore) -> None:
        """The store is the caller's to close."""
        self.uri = store.uri
        self.skipped: list[str] = []
        self.notes: list[str] = []
        self._store = store
        self._models = find_part(store, LoggedModels)
        self._registry = find_part(store, ModelRegistry)

    def close(self) -> None:
        """Nothing: the store is another's."""

    def experiments(self) -> Iterable[Experiment]:
        """The oldest first."""
        token, found = "", list[Experiment]()
        while True:
            page = self._store.search_experiments(view_type="ALL", max_results=_PAGE, page_token=token)
            found += page.experiments
            token = page.next_page_token
            if not token:
                return found[::-1]

    def runs(self, experiment: Experiment) -> Iterator[Run]:
        """The oldest first, so that a parent comes before its children."""
        for run in self.heads(experiment):
            # A search gives neither all that a run read nor, on older servers, what it wrote.
            yield self._store.get_run(run.run_id)

    def heads(self, experiment: Experiment) -> Iterator[Run]:
        """As a search gives them."""
        return all_runs(self._store, experiment.experiment_id)

    def points(self, run: Run) -> Iterator[Metric]:
        """By metric and time."""
        for key in sorted({metric.key for metric in run.metrics}):
            for metric in history(self._store, run.run_id, key):
                # Which models it names is in their own metrics: servers do not say it here, and one value may name two.
                yield metric._replace(model_id=None)

    def models(self, experiment: Experiment) -> Iterator[SourceModel]:
        """Searches hide deleted ones: the runs that wrote them know them."""
        if self._models is None:
            return
        found, token = set[str](), ""
        while True:
            try:
                page = self._models.search_logged_models([experiment.experiment_id], page_token=token)
            except NotFoundError:  # a server before MLflow 3
                return
            for model in page.models:
                found.add(model.model_id)
                yield SourceModel(model)
            token = page.next_page_token
            if not token:
                break
        for run in self.heads(experiment):
            for output in run.model_outputs:
                if output.model_id not in found:
                    found.add(output.model_id)
                    with suppress(NotFoundError):  # removed for good
                        model = self._models.get_logged_model(output.model_id, allow_deleted=True)
                        yield SourceModel(model, deleted=True)

    def registered_models(self) -> Iterator[RegisteredModel]:
        """Prompts, too, which searches give only where they are asked for."""
        if self._registry is None:
            return
        for prompts in ("", f"tags.`{IS_PROMPT}` = 'true'"):
            token = ""
            while True:
                try:
                    page = self._registry.search_registered_models(filter_string=prompts, page_token=token)
                except ProjrunError:
                    if not prompts:
                        raise
                    break  # a server that knows no prompts
                for model in page.models:
                    if bool(prompts) == any(tag.key == IS_PROMPT for tag in model.tags):
                        yield self._registry.get_registered_model(model.name)  # a search leaves out aliases
                token = page.next_page_token
                if not token:
                    break

    def versions(self, model: RegisteredModel) -> Iterator[ModelVersion]:
        """One by one: a search of versions leaves out those of prompts."""
        if self._registry is None:
            return
        last = max((int(version.version) for version in model.latest_versions), default=0)
        for number in range(1, last + 1):
            try:
                yield self._registry.get_model_version(model.name, str(number))
            except NotFoundError:  # deleted
                continue

    def artifacts(self, owner: Run | LoggedModel) -> ArtifactRepository | None:
        """Wherever the store says they are."""
        return self._store.artifacts(owner.artifact_uri)


def all_runs(store: RunStore, experiment_id: str) -> Iterator[Run]:
    """The runs of an experiment, deleted or not, the oldest first."""
    token = ""
    while True:
        page = store.search_runs(
            [experiment_id], view_type="ALL", max_results=_RUNS, order_by=["start_time ASC"], page_token=token
        )
        yield from page.runs
        token = page.next_page_token
        if not token:
            return


def run_identity(run: Run) -> str:
    """The id that a run had in the store where it was made: one that was brought keeps it in a tag."""
    return run.tag(ORIGIN) or run.run_id


def model_identity(model: LoggedModel) -> str:
    """The same for a logged model."""
    return next((tag.value for tag in model.tags if tag.key == ORIGIN_MODEL), "") or model.model_id
